/**
 * A finished practice to write feedback on.
 */
import type { CheckIn, Mood, PracticeMaterial } from '../../../db/daodao/practices.ts';

const NOTES_ZH: [string, Mood | null, string | null][] = [
  [
    '2026-03-02',
    'frustrated',
    '第一頁就有十幾個字不認識，一直停下來查字典，讀完覺得好累，有點懷疑自己適不適合。',
  ],
  [
    '2026-03-04',
    'frustrated',
    '今天只讀了三頁，主角的名字一直搞混，只好把人物畫成一張小圖貼在書籤上面。',
  ],
  [
    '2026-03-05',
    'neutral',
    '試著不查字典，先把整段讀完，原來前後文會告訴我大概的意思，讀起來沒有那麼卡。',
  ],
  ['2026-03-09', null, null],
  ['2026-03-09', 'good', '捷運上讀的，差點坐過站。主角離家的那一段讓我想起剛搬到台北的那個秋天。'],
  [
    '2026-03-11',
    'good',
    '發現自己不再急著翻譯成中文，腦中會直接出現畫面，這是第一次有這種感覺，很奇妙。',
  ],
  ['2026-03-18', 'happy', '睡前讀書變成一天裡最安靜的時間，手機也放到客廳充電了，睡得比以前安穩。'],
];

const NOTES_EN: [string, Mood | null, string | null][] = [
  [
    '2026-03-02',
    'bored',
    'Drew the corner by the market. My lines went everywhere and I rushed the windows because I was cold and the light was going.',
  ],
  [
    '2026-03-09',
    'neutral',
    'I noticed that I draw what I expect instead of what is there. The roof was much flatter than I had thought it was.',
  ],
  [
    '2026-03-12',
    'good',
    'Sat for an hour. An old man came over and told me what the shop used to be, and I finally drew the sign slowly.',
  ],
  [
    '2026-03-20',
    'happy',
    'For the first time the page looked the way the street felt to me, crooked and warm and full of small things in windows.',
  ],
];

export interface MaterialOptions {
  locale?: 'zh-TW' | 'en';
  practice?: Partial<PracticeMaterial['practice']>;
  owner?: Partial<PracticeMaterial['owner']>;
  /** Replaces the check-ins. */
  checkIns?: CheckIn[];
}

/** Eligible unless told otherwise. */
export function createMaterial({
  locale = 'zh-TW',
  practice,
  owner,
  checkIns,
}: MaterialOptions = {}): PracticeMaterial {
  const english = locale === 'en';
  const rows = english ? NOTES_EN : NOTES_ZH;
  return {
    practice: {
      id: 1,
      externalId: '0b54b3f4-6a44-4c39-9d0c-6d1f0f6a8a01',
      ownerId: 'c7a1f1de-2a5b-4e0c-8f11-5f0c3a9d7b02',
      title: english ? 'Sketch one street a week' : '每天讀 20 分鐘英文小說',
      practiceAction: english ? 'Sit down and draw' : '睡前讀一章',
      status: 'completed',
      startDate: '2026-03-02',
      endDate: '2026-03-22',
      durationDays: 21,
      frequencyMinDays: 2,
      frequencyMaxDays: 5,
      sessionDurationMinutes: 20,
      tags: english ? ['drawing'] : ['英文', '閱讀'],
      progressPercentage: 90,
      reflection: null,
      insightEdited: false,
      ...practice,
    },
    owner: {
      externalId: 'c7a1f1de-2a5b-4e0c-8f11-5f0c3a9d7b02',
      nickname: english ? 'Ann' : '小島',
      personalSlogan: english ? null : '慢慢來比較快',
      professionalField: english ? [] : ['產品設計'],
      tags: [],
      preferredLocale: locale,
      ...owner,
    },
    checkIns:
      checkIns ?? rows.map(([date, mood, note], index) => checkIn(index + 1, note, { date, mood })),
  };
}

export function checkIn(
  id: number,
  note: string | null,
  { date = '2026-03-02', mood = null }: Partial<CheckIn> = {},
): CheckIn {
  return { id, date, mood, note };
}
