/**
 * Practices of 小禾: one finished, with a double tap and a check-in after midnight; one active; one with her own insight.
 */
import type { SeedPractice } from './practice.ts';
import { xiaohe } from './users.ts';

const bedtimeNovel: SeedPractice = {
  externalId: '0882156c-69a0-4fcd-a4b6-e4c5929fc8e9',
  owner: xiaohe,
  title: '睡前讀十頁小說',
  action: '洗完澡把手機放在客廳，坐在床邊讀十頁',
  status: 'completed',
  privacy: 'public',
  startedDaysAgo: 30,
  durationDays: 21,
  frequency: [2, 5],
  sessionMinutes: 20,
  tags: ['閱讀', '小說', '生活'],
  progress: null,
  reflection: '原來我不是沒有時間讀書，是一直把最後的力氣留給了螢幕。',
  checkIns: [
    {
      day: 0,
      mood: 'neutral',
      note: '第一晚，讀了四頁就一直想去看手機有沒有訊息。後來把書拿到陽台，聽著樓下的機車聲反而讀得下去，十頁花了快四十分鐘。',
    },
    {
      day: 3,
      mood: 'frustrated',
      note: '今天改聯絡簿改到很晚，眼睛好酸，同一段看了三次還是不知道誰在跟誰說話。我跟自己說讀一頁也算，結果真的只讀了一頁。',
    },
    {
      day: 6,
      at: '22:10',
      mood: 'good',
      note: '主角的阿嬤在巷口等她放學那一段，讓我想起外婆家的紗門聲。我停下來發呆了好一會兒，才發現自己已經半小時沒想到工作。',
    },
    {
      day: 6,
      at: '22:10:01',
      mood: 'good',
      note: '主角的阿嬤在巷口等她放學那一段，讓我想起外婆家的紗門聲。我停下來發呆了好一會兒，才發現自己已經半小時沒想到工作。',
    },
    {
      day: 10,
      at: '00:30',
      mood: 'happy',
      note: '過了十二點才放下書，因為想知道那封信到底寄出去了沒有。好久沒有這種捨不得睡的感覺，像小時候躲在棉被裡用手電筒看書。',
    },
    {
      day: 14,
      mood: 'neutral',
      note: '週末回家，書忘了帶，就用講的把前面的故事說給媽媽聽。她問我的問題我有一半答不出來，回來以後把那幾章又翻了一遍。',
    },
    {
      day: 17,
      mood: 'good',
      note: '發現把書放在枕頭上，比放在書架上有用多了，因為不拿開它就沒辦法躺下來。今天讀得很順，連喝水都忘了起來倒。',
    },
    {
      day: 20,
      mood: 'happy',
      note: '最後一天，剛好讀到全書的倒數第二章。我捨不得一口氣讀完，留了一點給明天。下一本想選一個我完全不認識的國家的作家。',
    },
  ],
};

const spokenEnglish: SeedPractice = {
  externalId: 'ef69b478-8ba6-4890-9908-4d10f0089214',
  owner: xiaohe,
  title: '跟著 Podcast 練英文口說',
  action: '聽一段三分鐘的節目，錄下自己跟讀的聲音',
  status: 'active',
  privacy: 'public',
  startedDaysAgo: 9,
  durationDays: 28,
  frequency: [3, 5],
  sessionMinutes: 15,
  tags: ['英文', '口說'],
  progress: null,
  reflection: null,
  checkIns: [
    {
      day: 1,
      at: '07:20',
      mood: 'frustrated',
      note: '聽到自己的錄音好想把耳朵摀起來，尾音全部都吃掉了。',
    },
    {
      day: 4,
      at: '07:15',
      mood: 'neutral',
      note: '今天只練一句，把 would have been 連起來唸了二十次，錄到第十八次的時候終於比較像一口氣說完的。',
    },
    {
      day: 8,
      at: '07:25',
      mood: 'good',
      note: '學生下課聽到我在碎碎唸，跑來教我一個發音，我們笑成一團。',
    },
  ],
};

const homeCooking: SeedPractice = {
  externalId: '803fda9c-14da-4b2f-8b12-6b3048c8c4c3',
  owner: xiaohe,
  title: '學會三道家常菜',
  action: '每次只煮一道，煮完寫下味道',
  status: 'completed',
  privacy: 'public',
  startedDaysAgo: 60,
  durationDays: 14,
  frequency: [2, 3],
  sessionMinutes: 60,
  tags: ['料理', '生活'],
  progress: 100,
  reflection: '想記住媽媽的味道，所以先從問她問題開始。',
  ownInsight: '我學會的不是三道菜，是打電話回家時終於有話可以聊。',
  checkIns: [
    {
      day: 1,
      at: '19:30',
      mood: 'frustrated',
      note: '番茄炒蛋出水出到變成湯，視訊給媽媽看，她笑了好久才告訴我蛋要先盛起來，番茄自己慢慢炒到出沙再放回去。',
    },
    {
      day: 4,
      at: '19:10',
      mood: 'neutral',
      note: '滷肉的醬油放太多，鹹到要配兩碗飯。不過聞到八角的味道那一刻，廚房忽然很像老家，我一個人站著聞了好久。',
    },
    {
      day: 9,
      at: '18:50',
      mood: 'good',
      note: '第二次滷肉，先把肉煎到焦黃再下醬油，水也換成熱的。室友聞到味道從房間走出來，自己拿了碗筷坐下，什麼都沒說。',
    },
    {
      day: 13,
      at: '19:40',
      mood: 'happy',
      note: '今天三道一起上桌，魚煎破了一面，就把好看的那一面朝上。媽媽在電話裡問我味道如何，我說有七分像，她說那就夠了。',
    },
  ],
};

export const xiaohePractices: readonly SeedPractice[] = [bedtimeNovel, spokenEnglish, homeCooking];
