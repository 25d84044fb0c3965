/**
 * The Traditional Chinese wordings of the coach.
 */
import type { Facts } from './facts.ts';
import type { Mood } from './moods.ts';
import { word, type Wordings } from './claims.ts';
import { planOf } from './plan.ts';
import { RHYTHM, WEEKDAY } from './zh-rhythm.ts';
import type { Quote } from './quotes.ts';

const MOOD: Record<Mood, string> = {
  give_up: '「想先放下」',
  frustrated: '「挫折」',
  bored: '「提不起勁」',
  neutral: '「普通」',
  good: '「還不錯」',
  happy: '「開心」',
};

export function writeChinese(facts: Facts) {
  const { breakthrough, rhythm, insight } = planOf(facts);
  const call = facts.nickname === undefined ? '' : `${facts.nickname}，`;
  return {
    breakthrough: call + word(breakthrough, facts, WORDINGS).join(''),
    rhythm: word(rhythm, facts, WORDINGS).join(''),
    insight: word(insight, facts, WORDINGS).join(''),
  };
}

const WORDINGS: Wordings = {
  ...RHYTHM,

  oneDay: ({ title }) => [
    `${called(title)}留下的是一個日子，而一個日子也可以裝下不少東西。`,
    `${called(title)}有一個日子可以回頭看，那一天是你的。`,
  ],
  fewDays: ({ title, days }) => [
    `${called(title)}落在 ${days} 個日子裡，一個一個都還數得出來。`,
    `${days} 個日子，讓${called(title)}成了可以回頭看的一段路。`,
    `翻開${called(title)}，裡面是 ${days} 個日子，可以一個一個翻回去看。`,
  ],
  someDays: ({ title, days }) => [
    `回頭看${called(title)}，有 ${days} 個日子，你替它留了時間。`,
    `${called(title)}一開始只是個念頭，現在已經是你在 ${days} 個日子裡做過的事。`,
    `${called(title)}在你的 ${days} 個日子裡留下了痕跡。`,
  ],
  manyDays: ({ title, days }) => [
    `${called(title)}已經走進你生活裡的 ${days} 個日子。`,
    `現在有 ${days} 個日子，想起來都會有${called(title)}的影子。`,
    `一頁一頁翻過去，${called(title)}走過了你的 ${days} 個日子。`,
  ],
  weeksBehind: ({ title, days, weeks }) => [
    `${weeks} 個星期的${called(title)}走完了，其中 ${days} 個日子有你的紀錄。`,
    `從決定開始${called(title)}，到走完這 ${weeks} 個星期，有 ${days} 個日子是你為它留的。`,
  ],
  asLived: ({ title, days }) => [
    `這就是${called(title)}在你生活裡的樣子，由 ${days} 個日子拼起來。`,
    `這些都屬於${called(title)}：一開始是個念頭，後來是你真的過過的 ${days} 個日子。`,
    `把這些片刻放在一起，就是你走過的${called(title)}，一共 ${days} 個日子。`,
  ],

  moodUnmarked: () => [
    '這些紀錄沒有標上心情，如果有什麼改變了，要從字句裡去找。',
    '一路上你沒有替心情做記號，感受都交給了文字。',
  ],
  moodSingle: ({ mood }) => [
    `你也標過一次心情，那時是${MOOD[mood]}。`,
    `有一則紀錄旁邊標了心情，那天是${MOOD[mood]}。`,
  ],
  moodSame: ({ mood, usual }) =>
    usual
      ? [
          `你的心情大多是${MOOD[mood]}，前段和後段都看得到它。`,
          `一路上心情多半是${MOOD[mood]}，靠近開頭是，靠近結尾也是。`,
        ]
      : [
          `靠近開頭和靠近結尾，你都標過${MOOD[mood]}；如果有什麼改變了，文字會比心情知道得更多。`,
          `前段有過${MOOD[mood]}，後段也有過${MOOD[mood]}，兩者之間的路，留在你的文字裡。`,
        ],
  moodLighter: ({ start, end }) => [
    `剛開始的紀錄裡出現過${MOOD[start]}，到了後段，你標下了${MOOD[end]}，中間有什麼悄悄鬆開了。`,
    `最初幾則裡有${MOOD[start]}，最後幾則裡有${MOOD[end]}，心情確實輕了一些。`,
  ],
  moodLighterAfterLow: ({ start, end, once }) => [
    `這條路有起有伏：前段有過${MOOD[start]}，途中${once ? '有一次' : '也曾'}${MOOD.give_up}，到了後段，你標下的卻是${MOOD[end]}。`,
    `後段的紀錄裡有${MOOD[end]}。知道你途中${once ? '有一次' : '曾經'}${MOOD.give_up}，再讀到這裡，分量就不一樣了。`,
  ],
  moodLighterStepwise: ({ start, end }) => [
    `你標下的心情沒有一次重複：前段有${MOOD[start]}，後段有${MOOD[end]}，路上還有別的顏色。`,
    `每一次標下的心情都不一樣，從前段的${MOOD[start]}到後段的${MOOD[end]}，後面比前面輕。`,
  ],
  moodLighterForGood: ({ start, end }) => [
    `${MOOD[start]}只在前段出現過一次，後來沒有再標過；到了後段，你標下的是${MOOD[end]}。`,
    `前段有一次是${MOOD[start]}，後段換成了${MOOD[end]}，心情比開頭輕了一些。`,
  ],
  moodLighterMoreThanOnce: ({ start, end }) => [
    `${MOOD[start]}只在前段有過一次，${MOOD[end]}卻不只一次，最後那一段也有。`,
    `前段有一次${MOOD[start]}；${MOOD[end]}不只標過一次，而後段整體比前段輕了一些。`,
  ],
  moodHeavier: ({ start, end }) => [
    `前段有過${MOOD[start]}，後段沉了一些，出現了${MOOD[end]}，你照實標了下來。`,
    `最後幾則裡有${MOOD[end]}，比開頭重一點，而你也把它記了下來。`,
  ],
  moodBoth: ({ start, end }) => [
    `靠近開頭有${MOOD[start]}，靠近結尾有${MOOD[end]}，兩種心情都有位置。`,
    `開頭附近有${MOOD[start]}的日子，結尾附近有${MOOD[end]}的日子，兩種都是你的。`,
  ],
  moodUsual: ({ mood }) => [
    `整段路看下來，心情多半是${MOOD[mood]}。`,
    `而你標下的心情，大多是${MOOD[mood]}。`,
  ],

  discovered: ({ quote, day }) => [
    `第 ${day} 天，有件事在你眼前變清楚了：${said(quote)}。`,
    `第 ${day} 天的紀錄裡有一個發現：${said(quote)}。`,
    `第 ${day} 天，你發現了一件事：${said(quote)}。`,
  ],
  wroteInMood: ({ quote, day, mood }) => [
    `第 ${day} 天，心情是${MOOD[mood]}，你寫下${said(quote)}。`,
    `標著${MOOD[mood]}的第 ${day} 天，你是這樣寫的：${said(quote)}。`,
  ],
  wroteAtLength: ({ quote, day }) => [
    `第 ${day} 天你寫了很長一段，其中一句是${said(quote)}。`,
    `第 ${day} 天的紀錄很長，其中有這麼一句：${said(quote)}。`,
  ],
  wrote: ({ quote, day }) => [
    `第 ${day} 天你寫下${said(quote)}。`,
    `第 ${day} 天的紀錄是這樣寫的：${said(quote)}。`,
  ],
  discoveredToo: ({ quote, day }) => [
    `第 ${day} 天你看見的事，值得再看一次：${said(quote)}。`,
    `還有第 ${day} 天，你自己發現的：${said(quote)}。`,
    `另一個發現在第 ${day} 天：${said(quote)}，可以在這裡多停一會兒。`,
    `如果要挑一句往下想，也許是第 ${day} 天的這個發現：${said(quote)}。`,
  ],
  wroteToo: ({ quote, day }) => [
    `值得再讀一次的，是第 ${day} 天的這一句：${said(quote)}。`,
    `如果只留下一句，也許可以是第 ${day} 天的${said(quote)}。`,
    `第 ${day} 天的這句話，比讀起來的還要多一些：${said(quote)}。`,
  ],

  reflection: ({ quote }) => [
    `回頭看的時候，你是這樣說的：${said(quote)}。`,
    `你替這段路寫的總結是${said(quote)}。`,
    `走完之後，你留下了這句話：${said(quote)}。`,
  ],
  slogan: ({ slogan }) => [
    `讀著讀著，會想起你給自己的那句話：「${slogan}」。`,
    `你給自己的座右銘是「${slogan}」，這些紀錄讓人想起它。`,
  ],
  tag: ({ tag }) => [
    `你替它標上了「${tag}」，那裡也許還有可以往下走的路。`,
    `「${tag}」是你替它選的標籤，這個詞對你的意思，紀錄裡說得更清楚。`,
  ],
  twoDays: ({ from, to }) => [
    `把第 ${from} 天和第 ${to} 天放在一起讀，中間的距離，也許比任何一天單獨說的都多。`,
    `從第 ${from} 天到第 ${to} 天，是你自己走出來的一段；兩則紀錄接著讀，也許會讀到新的東西。`,
  ],
  smallThings: () => [
    '最值得再想一想的，也許是那些順手寫下的小事，它們有時會透露真正在意的是什麼。',
  ],
  askDiscovery: () => [
    '當時是什麼讓你看見這件事的？那個條件，還能在生活的哪裡出現？',
    '同樣的道理，還可能在哪裡成立？',
  ],
  askBeginner: ({ mood }) => [
    `如果遇到心情還是${MOOD[mood]}的那個自己，你會想說什麼？`,
    `如果有人正要開始，心情也是${MOOD[mood]}，你會跟他說什麼？`,
  ],
  askLow: () => [
    `對${MOOD.give_up}那一天的自己，你會想說什麼？`,
    `下一次又${MOOD.give_up}什麼的時候，你希望自己記得哪一件事？`,
  ],
  askReturn: () => ['那段空白之後，是什麼讓你又回來的？'],
  askWeekday: ({ weekday }) => [
    `${WEEKDAY[weekday]}有什麼特別的地方，讓這件事有了位置？`,
    `${WEEKDAY[weekday]}有的東西，別的日子也借得到嗎？`,
  ],
  askPicture: () => ['下一次想起這段日子，你希望最先浮現的是哪一個畫面？'],
  askFriend: () => ['如果有朋友明天要開始做同一件事，你會先跟他說什麼？'],
  askRename: () => ['如果今天重新替這段路取一個名字，你會叫它什麼？'],
  askNext: () => ['如果只帶一樣東西走進下一段旅程，你會帶走哪一樣？'],
};

function called(title: string | undefined): string {
  return title === undefined ? '這個主題實踐' : `「${title}」`;
}

function said({ text }: Quote): string {
  return `「${text}」`;
}
