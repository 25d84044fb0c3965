/**
 * The users of the seed.
 */

/** Far above the values of a sequence, so that the seed never collides with existing rows. */
export const FIRST_ID = 900_001;

export interface SeedUser {
  id: number;
  externalId: string;
  nickname: string;
  locale: 'zh-TW' | 'en';
  personalSlogan: string | null;
  selfIntroduction: string | null;
  professionalField: string[];
  interests: string[];
  wantToDo: string[];
  tags: string[];
}

export const xiaohe: SeedUser = {
  id: FIRST_ID,
  externalId: 'ad16e384-b7fb-457b-9fb4-7192d5d1e469',
  nickname: '小禾',
  locale: 'zh-TW',
  personalSlogan: '慢慢來，比較快',
  selfIntroduction: '在台南的國小教三年級，下班後想把自己的時間找回來。',
  professionalField: ['教育'],
  interests: ['閱讀', '料理', '語言'],
  wantToDo: ['讀完一套長篇小說', '用英文跟外國朋友聊天'],
  tags: ['閱讀', '英文', '生活'],
};

export const azhe: SeedUser = {
  id: FIRST_ID + 1,
  externalId: '87a7222a-0601-4d6e-9923-b0f11de4254d',
  nickname: '阿哲',
  locale: 'zh-TW',
  personalSlogan: '先動手，再想清楚',
  selfIntroduction: '做了五年行銷，正在練習自己寫出想用的小工具。',
  professionalField: ['行銷', '軟體開發'],
  interests: ['程式', '跑步'],
  wantToDo: ['做一個自己每天會用的工具', '跑完一場半馬'],
  tags: ['程式', '運動'],
};

export const peijun: SeedUser = {
  id: FIRST_ID + 2,
  externalId: '7fdfc040-f29a-4926-97c7-7f5070ad0152',
  nickname: '佩君',
  locale: 'zh-TW',
  personalSlogan: '畫得像不像，不是重點',
  selfIntroduction: '平面設計師，想重新跟紙筆做朋友。',
  professionalField: ['設計'],
  interests: ['水彩', '攝影', '散步'],
  wantToDo: ['辦一場只給朋友看的小畫展'],
  tags: ['水彩', '攝影', '創作'],
};

/** Has only private practices, and wants to learn Japanese. */
export const nianan: SeedUser = {
  id: FIRST_ID + 3,
  externalId: 'b24c6a31-d58a-4f41-b3fd-815d38a9d0d6',
  nickname: '念安',
  locale: 'zh-TW',
  personalSlogan: null,
  selfIntroduction: '急診護理師，輪三班。',
  professionalField: ['醫療'],
  interests: ['日語', '睡眠'],
  wantToDo: ['用日語聽懂一集廣播劇', '好好睡一覺'],
  tags: ['日語', '身心'],
};

export const emily: SeedUser = {
  id: FIRST_ID + 4,
  externalId: '9a3f179d-a2ec-4917-b760-8c772c77acb4',
  nickname: 'Emily',
  locale: 'en',
  personalSlogan: 'Curious first, correct later',
  selfIntroduction: 'Product manager from Leeds, living in Taipei since last spring.',
  professionalField: ['Product management'],
  interests: ['Communication', 'Music'],
  wantToDo: ['Feel at home in a new city', 'Play one song for my friends'],
  tags: ['communication', 'music'],
};

/** A cold start: an empty profile without activity. */
export const newcomer: SeedUser = {
  id: FIRST_ID + 5,
  externalId: 'e715d21a-4e51-4611-ac4e-89504ac7be8d',
  nickname: '新島民',
  locale: 'zh-TW',
  personalSlogan: null,
  selfIntroduction: null,
  professionalField: [],
  interests: [],
  wantToDo: [],
  tags: [],
};

export const SEED_USERS: readonly SeedUser[] = [xiaohe, azhe, peijun, nianan, emily, newcomer];
