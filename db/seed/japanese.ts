/**
 * Two practices of Japanese, so that recommendations for learners of Japanese find other users.
 */
import type { SeedPractice } from './practice.ts';
import { azhe, peijun } from './users.ts';

const listening: SeedPractice = {
  externalId: '3b9a1f52-6c0d-4e7b-8a35-90d1c2e47f68',
  owner: azhe,
  title: '每天十分鐘日語聽力',
  action: '通勤時聽一段日語廣播，記下一個聽懂的句子',
  status: 'active',
  privacy: 'public',
  startedDaysAgo: 9,
  durationDays: 21,
  frequency: [4, 7],
  sessionMinutes: 10,
  tags: ['日語', '聽力', '語言'],
  progress: null,
  reflection: null,
  checkIns: [
    {
      day: 0,
      at: '08:10',
      mood: 'frustrated',
      note: '整段只聽懂「今天」和「天氣」，主持人講得好快。',
    },
    {
      day: 3,
      at: '08:05',
      mood: 'neutral',
      note: '同一段聽第三遍，原來那個一直出現的詞是「對了」。',
    },
    {
      day: 7,
      at: '08:12',
      mood: 'good',
      note: '聽到路況報導，居然知道哪一條路在塞車，差點在捷運上笑出來。',
    },
  ],
};

const lyrics: SeedPractice = {
  externalId: 'c5d80e17-2f4b-49a6-b1e9-7a6f3d0c8b24',
  owner: peijun,
  title: '抄寫日文歌詞',
  action: '選一首日文歌，抄一段，查三個字',
  status: 'active',
  privacy: 'public',
  startedDaysAgo: 12,
  durationDays: 28,
  frequency: [2, 4],
  sessionMinutes: 20,
  tags: ['日語', '音樂', '手寫'],
  progress: null,
  reflection: null,
  checkIns: [
    { day: 1, mood: 'good', note: '抄到一半發現漢字的筆順和我習慣的不一樣，乾脆當成畫畫來寫。' },
    { day: 6, mood: 'happy', note: '副歌不用看歌詞也跟得上了，只是意思還猜錯一半。' },
  ],
};

export const japanesePractices: readonly SeedPractice[] = [listening, lyrics];
