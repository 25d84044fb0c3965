/**
 * The Traditional Chinese wordings on the days of the check-ins.
 */
import type { RhythmClaims, Wordings } from './claims.ts';

export const WEEKDAY = ['星期日', '星期一', '星期二', '星期三', '星期四', '星期五', '星期六'];

export const RHYTHM: Wordings<RhythmClaims> = {
  presence: ({ days, durationDays, minutes }) => [
    `這 ${durationDays} 天裡，有 ${days} 天留下了你的紀錄${each(minutes)}。`,
    `整段路是 ${durationDays} 天，你在其中 ${days} 天來過這裡${each(minutes)}。`,
    `${durationDays} 天當中，看得到你的有 ${days} 天${each(minutes)}。`,
  ],
  presenceFull: ({ days, durationDays, minutes }) => [
    `原本計畫 ${durationDays} 天，有紀錄的日子是 ${days} 天${each(minutes)}。`,
  ],
  presenceWeekly: ({ days, durationDays, minutes }) => [
    `原本想的是一週一次，${durationDays} 天裡，你有 ${days} 天留下紀錄${each(minutes)}。`,
    `這是一件一週做一次的事，${durationDays} 天當中有 ${days} 天看得到你${each(minutes)}。`,
  ],
  presenceBriefly: ({ days, durationDays, minutes }) => [
    `每次只預留 ${minutes} 分鐘，小到哪裡都放得下；${durationDays} 天裡，你有 ${days} 天留下紀錄。`,
    `計畫裡一次是 ${minutes} 分鐘，不多不少；${durationDays} 天當中有 ${days} 天看得到你。`,
  ],
  presenceAtLength: ({ days, durationDays, minutes }) => [
    `一次要留 ${minutes} 分鐘，不是隨手就有的；${durationDays} 天裡，你有 ${days} 天留下紀錄。`,
    `計畫裡一次是 ${minutes} 分鐘，占去一天裡不小的一塊；${durationDays} 天當中有 ${days} 天看得到你。`,
  ],
  asPlanned: ({ daysPerWeek }) => [
    `從頭到尾算下來，正好是你原先想的每週 ${daysPerWeek} 天。`,
    `你原先想的是每週 ${daysPerWeek} 天，整段算下來，就是這個樣子。`,
  ],
  morePlanned: ({ daysPerWeek }) => [
    `從頭到尾算下來，比每週 ${daysPerWeek} 天還多。`,
    `後來找到的空檔，比原先想的每週 ${daysPerWeek} 天多。`,
  ],
  favouriteWeekday: ({ weekday }) => [
    `一週裡，你在${WEEKDAY[weekday]}來得最多，也許那天剛好留得出空間。`,
    `${WEEKDAY[weekday]}出現得比其他日子多，那天好像替這件事留了位置。`,
  ],
  noFavouriteWeekday: () => [
    '放進一週裡看，沒有哪一天特別突出。',
    '你來的日子，沒有偏向一週裡的哪一天。',
  ],
  pauseLong: ({ days }) => [
    `最長的一段空白有 ${days} 天，之後又有了新的紀錄，回來也是你節奏的一部分。`,
    `最久的時候，隔了 ${days} 天沒有紀錄，後來你又把它接了起來。`,
  ],
  pauseShort: ({ days }) => [
    `兩次紀錄之間最多隔了 ${days} 天，線頭一直在手邊。`,
    `從一次到下一次，中間最多 ${days} 天，和你選的步調相合。`,
  ],
  notesGrew: () => [
    '整體來看，後來的紀錄比開頭的長，好像想說的話多了起來。',
    '加在一起看，後半段的紀錄寫得比前半段長。',
  ],
  notesVaried: ({ longDay, shortDay }) => [
    `第 ${longDay} 天寫的比第 ${shortDay} 天多得多，兩種寫法都有位置。`,
    `第 ${longDay} 天的紀錄比第 ${shortDay} 天長了好幾倍，有些日子就是需要多一點字。`,
  ],
  notesEven: () => ['每一則紀錄的長短都差不多。'],
  everyNote: () => ['每一次來，你都留下了文字。', '每一則紀錄裡，都有你寫的話。'],
  wordless: () => [
    '不是每一次都寫了字，有時候，人到了就是一種紀錄。',
    '有些紀錄沒有文字，它們也是這幅畫的一部分。',
  ],
  action: ({ action }) => [
    `你替自己定的做法很具體：「${action}」。`,
    `當初說好的做法是「${action}」。`,
    `用你自己的話說，計畫是「${action}」。`,
  ],
  daysBetween: () => [
    '中間那些沒有紀錄的日子是什麼樣子，你最清楚。',
    '沒有寫下來的日子也有它們的份，那一部分只有你知道。',
  ],
};

function each(minutes: number | undefined): string {
  return minutes === undefined ? '' : `，每次預留 ${minutes} 分鐘`;
}
