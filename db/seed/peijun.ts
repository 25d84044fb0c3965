/**
 * Practices of 佩君: one with a note of 600 characters, one finished with too little content for feedback.
 */
import type { SeedPractice } from './practice.ts';
import { peijun } from './users.ts';

const LONG_NOTE = `今天想把整件事好好寫下來，所以會很長。早上本來要去公園寫生，走到門口就下雨，只好坐在騎樓的塑膠椅上畫對面的五金行。老闆娘看我拿出顏料，把門口的水桶往旁邊挪了一點，說這樣比較好看。我跟她說不用，水桶也要畫進去，她聽了笑得很大聲，轉頭跟裡面的人說有人要畫我們家的水桶。

一開始我還是用設計稿的習慣在畫，先想構圖，再想配色，每一筆都在心裡問對不對。畫到招牌的時候，一滴雨水從屋簷彈到紙上，紅色整片暈開，像一朵花，也像一個沒有關緊的水龍頭。我愣了一下，第一個念頭是換一張紙重來，手已經把畫本翻到下一頁了，又翻回來。那團紅色其實比我原本要畫的招牌更像雨天。

後來我就順著它，把旁邊的灰也加了很多水，讓兩個顏色自己碰在一起。我發現自己在等，等紙慢慢乾，等顏色停下來，平常上班的時候我最怕的就是等。可是今天等的時候，我聽見老闆娘在數螺絲，一包十二個，數得很慢，像在唸經。有個國中生來買燈泡，站在我後面看了好久，問我這張畫好了沒有，我說我不知道，他說他覺得好了，然後就走了。

回家的路上我一直在想他那句話。以前交稿，好了沒有是客戶說的，再不然是截稿日說的。今天是一個淋濕的國中生說的，而我居然也同意。晚上我把畫貼在冰箱上，媽媽經過問這是哪裡，我說是巷口的五金行，她說難怪，看起來就是會漏水的樣子。我笑到把茶灑出來，忽然很想明天再去一次，畫那個水桶裡面的水。睡前洗畫筆，我把調色盤上那一小格紅色留著，捨不得沖掉。`;

const watercolour: SeedPractice = {
  externalId: 'e69b14d9-c9d1-451c-bf64-7387f3994779',
  owner: peijun,
  title: '每週畫兩張不修改的水彩',
  action: '帶小畫本出門，畫完就闔上，不重畫',
  status: 'completed',
  privacy: 'delayed',
  startedDaysAgo: 26,
  durationDays: 21,
  frequency: [2, 3],
  sessionMinutes: 45,
  tags: ['水彩', '創作', '散步'],
  progress: 100,
  reflection: '不修改很難，可是不修改之後，我開始看得見東西本來的樣子。',
  checkIns: [
    {
      day: 1,
      at: '15:20',
      mood: 'frustrated',
      note: '畫窗台上的薄荷，葉子畫到第三片就想重來。規定自己不能改，於是那盆薄荷有一半是認真的，一半是賭氣的。',
    },
    {
      day: 4,
      at: '16:00',
      mood: 'neutral',
      note: '在捷運上畫對面睡著的人，過一站就下車了，只留下一隻手和半個背包。以前會覺得沒畫完，今天覺得剛剛好。',
    },
    { day: 8, at: '17:45', mood: 'happy', note: LONG_NOTE },
    {
      day: 12,
      at: '14:30',
      mood: 'good',
      note: '又去五金行，這次專心畫水桶裡的倒影。老闆娘請我喝冬瓜茶，說她先生以前也畫圖，後來都畫在送貨單的背面。',
    },
    {
      day: 16,
      at: '16:10',
      mood: 'bored',
      note: '今天沒什麼想畫的，就畫顏料盒。發現藍色幾乎沒用過，才想到我一直避開天空，因為怕畫壞。於是整張都塗成天空。',
    },
    {
      day: 20,
      at: '15:50',
      mood: 'happy',
      note: '把這三週的畫攤在地板上，貓直接走過去，留下一個腳印。我沒有擦掉，還幫牠在旁邊簽了名，這張是我們一起畫的。',
    },
  ],
};

const photoSorting: SeedPractice = {
  externalId: '6fbb1aca-3e8b-4703-85c5-de64189212bf',
  owner: peijun,
  title: '整理十年的照片',
  action: '每天整理一個資料夾',
  status: 'completed',
  privacy: 'public',
  startedDaysAgo: 17,
  durationDays: 7,
  frequency: [4, 7],
  sessionMinutes: 30,
  tags: ['攝影', '整理'],
  progress: 100,
  reflection: null,
  checkIns: [
    { day: 0, mood: 'good', note: '整理完成' },
    { day: 1, mood: 'neutral', note: 'OK' },
    { day: 3, mood: null, note: '兩個資料夾' },
    { day: 6, mood: 'happy', note: '終於弄完了！' },
  ],
};

export const peijunPractices: readonly SeedPractice[] = [watercolour, photoSorting];
