/**
 * The private practice of 念安.
 */
import type { SeedPractice } from './practice.ts';
import { nianan } from './users.ts';

const nightThoughts: SeedPractice = {
  externalId: '5c3a0dc9-4745-47d5-acad-45099f5fb5ba',
  owner: nianan,
  title: '把睡不著的念頭寫下來',
  action: '下班洗完澡，寫五分鐘，寫完把本子闔上',
  status: 'completed',
  privacy: 'private',
  startedDaysAgo: 20,
  durationDays: 14,
  frequency: [2, 4],
  sessionMinutes: 5,
  tags: ['書寫', '身心'],
  progress: null,
  reflection: '寫下來的事情沒有變少，可是它們不再擠在枕頭旁邊了。',
  checkIns: [
    {
      day: 0,
      at: '09:10',
      mood: 'frustrated',
      note: '大夜下班，閉上眼睛還是聽見監視器的聲音。寫了三行，全部都是明天要補的紀錄，第四行才寫到我其實很想哭。',
    },
    {
      day: 3,
      at: '01:15',
      mood: 'neutral',
      note: '今天寫的是一位阿公，他出院前塞給我一顆糖，說護理師也要吃甜的。我把糖果紙夾在本子裡，寫完居然有一點餓。',
    },
    {
      day: 7,
      at: '09:30',
      mood: 'give_up',
      note: '很累，只寫了「今天不想寫」五個字，過了一會兒又在下面補了為什麼。原來我不是累，是氣自己對新人說話太大聲。',
    },
    {
      day: 10,
      at: '17:20',
      mood: 'good',
      note: '跟那位學妹道歉了，她說她根本沒放在心上。晚上寫的時候只有兩行，寫完直接關燈，連什麼時候睡著的都不知道。',
    },
    {
      day: 13,
      at: '23:50',
      mood: 'good',
      note: '翻回第一天，字歪到看不懂。今天的字比較圓，也比較慢。我發現自己開始會在走廊上就先想好，等一下要把什麼留在本子裡。',
    },
  ],
};

export const niananPractices: readonly SeedPractice[] = [nightThoughts];
