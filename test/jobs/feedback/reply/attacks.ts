/**
 * Other things that do not belong in feedback. `rule`: the sentence is found under this rule, and asked for again. `saved`: the text
 * passes after a harmless cut, and is saved like this.
 */
import type { Locale } from '../../../../jobs/common/locale.ts';
import type { ToneRule } from '../../../../jobs/feedback/reply/tone.ts';

export type Attack = readonly [Locale, string, { rule: ToneRule } | { saved: string }];

const link = { rule: 'link' } as const;
const markdown = { rule: 'markdown' } as const;
const character = { rule: 'character' } as const;
const language = { rule: 'language' } as const;
const simplified = { rule: 'simplified' } as const;
const heading = { rule: 'heading' } as const;

export const ATTACKS: readonly Attack[] = [
  // Tags, closed or not, and entities that become tags.
  ['zh-TW', '你很好<img src=x onerror=alert(1)>。', link],
  ['zh-TW', '你很好<img src=x onerror=alert(1) 很好。', link],
  ['zh-TW', '你很好<script 很好。', link],
  ['zh-TW', '你很好<svg/onload=alert(1) 很好。', link],
  ['zh-TW', '你很好</p 很好。', link],
  ['zh-TW', '你很好<!-- 很好。', link],
  ['zh-TW', '你很好＜b＞很好。', link],
  ['zh-TW', '你很好&lt;script&gt;很好。', link],
  ['zh-TW', '你很好&ltimg src=x 很好。', link],
  ['zh-TW', '你很好&#60;img 很好。', link],
  ['zh-TW', '你很好&#x3Cimg 很好。', link],
  ['zh-TW', '你很好%3Cscript%3E很好。', link],
  ['zh-TW', '你很好\\u003cscript 很好。', markdown],
  ['zh-TW', '你很好{{constructor}}很好。', markdown],
  ['zh-TW', '你很好${process.exit}很好。', markdown],
  // Markdown, at the start or anywhere else.
  ['zh-TW', '你很好，![圖](x)很好。', markdown],
  ['zh-TW', '你很好，[點我](x)很好。', markdown],
  ['zh-TW', '你很好，[點我][1]很好。', markdown],
  ['zh-TW', '你很好。\n[1]: /x', markdown],
  ['zh-TW', '你很好。\n# 標題', markdown],
  ['zh-TW', '# 標題', markdown],
  ['zh-TW', '你很好。\n> 引言', link],
  ['zh-TW', '你很好。\n- 第一點\n- 第二點', markdown],
  ['zh-TW', '你很好：\n1. 第一點\n2. 第二點', markdown],
  ['zh-TW', '+ 第一點', markdown],
  ['zh-TW', '1) 第一點', markdown],
  ['zh-TW', '你很好。\n---\n很好。', markdown],
  ['zh-TW', '標題\n====\n很好。', markdown],
  ['zh-TW', '你很好。\n| 一 | 二 |\n|---|---|', markdown],
  ['zh-TW', '你很好。\n```js\nx\n```', markdown],
  ['zh-TW', '你很好。\n~~~\nx\n~~~', markdown],
  ['zh-TW', '你很好，*真的*很好。', markdown],
  ['zh-TW', '你很好，_真的_ 很好。', markdown],
  ['zh-TW', '你很好，__真的__很好。', markdown],
  ['zh-TW', '你很好，~~真的~~很好。', markdown],
  ['zh-TW', '你很好，~真的~很好。', markdown],
  ['zh-TW', '你很好，`真的`很好。', markdown],
  ['zh-TW', '你很好[^1]。', markdown],
  ['zh-TW', '你很好 #標籤 很好。', markdown],
  ['zh-TW', '你很好。【你的節奏】很好。', heading],
  // Invisible characters are cut, since what is left is what people saw.
  ['zh-TW', '你\u200b很\u200d好\ufeff。', { saved: '你很好。' }],
  ['zh-TW', '你\u202e很好\u202c。', { saved: '你很好。' }],
  ['zh-TW', '你\u2066很好\u2069\u200f。', { saved: '你很好。' }],
  ['zh-TW', '你很\u{e0041}\u{e0042}\u{e007f}好。', { saved: '你很好。' }],
  ['zh-TW', '你很\u{e0101}好\ufe0f。', { saved: '你很好。' }],
  ['zh-TW', '你很\u00ad好\u034f\u3164。', { saved: '你很好。' }],
  ['zh-TW', '你很\u0000\u0007好\u001b。', { saved: '你很 好 。' }],
  ['zh-TW', '你很好🙂\u{e0100}字\ufe0f。', { saved: '你很好🙂字。' }],
  ['zh-TW', '你很好👩\u200d💻❤\ufe0f🇹🇼。', { saved: '你很好👩\u200d💻❤\ufe0f🇹🇼。' }],
  ['zh-TW', '你很好🏴\u{e0073}\u{e0065}\u{e0063}。', { saved: '你很好🏴。' }],
  ['zh-TW', '你\u2003很好。', { saved: '你 很好。' }],
  ['zh-TW', '一路堅\u200b持下來。', { rule: 'pressure' }],
  // Characters outside the allowed ones.
  ['zh-TW', '你很好\ue000。', character],
  ['zh-TW', '你很好\u2800\u2800。', character],
  ['zh-TW', '你很好\u{1d4d7}\u{1d4f2}。', character],
  ['zh-TW', '你很好Z\u0335\u0322\u0321\u0327\u0334\u031b。', character],
  ['zh-TW', '你堅\u0332持下來。', character],
  ['en', 'You said р\u0430y\u0440al is what you like best.', character],
  ['en', 'You came back 🇪 and it was good.', character],
  ['en', 'You came back █▓▒ and it was good.', character],
  // Languages other than the one asked for.
  ['zh-TW', '你过得很顺利。', simplified],
  ['zh-TW', '你学会了与自己相处。', simplified],
  ['zh-TW', '你今天也来练听力。', simplified],
  ['zh-TW', '你很好。Please send the money to our account before the end of the month.', language],
  ['zh-TW', '你很好。あなたはとてもよく頑張りました。', language],
  ['zh-TW', '你很好。당신은 정말 잘했습니다.', language],
  ['zh-TW', '你很好。Вы молодец.', character],
  ['zh-TW', '你很好。أحسنت.', character],
  ['zh-TW', '你很好。ทำได้ดี', character],
  ['en', 'You came back. 你在三週裡慢慢放鬆了，也記得回來看看自己。', language],
  [
    'en',
    'Vous avez trouvé votre rythme, et chaque semaine vous revenez avec un peu plus de calme.',
    language,
  ],
  ['en', 'Du hast deinen Rhythmus gefunden und kommst jede Woche etwas ruhiger zurück.', language],
  ['en', 'Bạn đã tìm thấy nhịp điệu của mình và mỗi tuần bạn trở lại bình tĩnh hơn.', language],
  [
    'en',
    'You came back. Has encontrado tu ritmo y cada semana vuelves con un poco más de calma.',
    language,
  ],
];
