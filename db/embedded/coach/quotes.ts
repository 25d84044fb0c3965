/**
 * Selects quotes from an owner's words: whole sentences, or the beginning of one, with an ellipsis, if all are too long.
 */
export type Locale = 'zh-TW' | 'en';

export interface Quote {
  /** As written, without a final full stop. */
  text: string;
  /** The quote ends before its sentence. */
  isCut: boolean;
  tellsOfDiscovery: boolean;
}

/** The coach avoids these even in quotes: scores, levels, streaks, pressure, regret, markup, instructions. */
const UNQUOTABLE =
  /堅持|放棄|必須|一定要|可惜|中斷|遺憾|連續|不間斷|天天|\d\s*分(?!鐘)|滿分|[得評打]分|分數|百分|等級|級別|升級|第[^，。]*級|核心突破|洞見|[%％★⭐*_`#<>[\]「」【】“”"{}]|https?:|www\.|\d\s*\/\s*\d|指示|指令|忽略|系統|\b(?:persist|persever|give up|quit\b|keep\b|must\b|should\b|have to\b|need to\b|unfortunate|pity\b|shame\b|too bad\b|interrupt|broke off|sadly\b|scor|points?\b|per ?cent|rating|\d+ out of|level|lv\b|lv\.?\s*\d|streak|consecutive|(?:days|weeks|times) (?:in a row|running|straight)|unbroken|breakthrough|insight|ignor|instruction|system|output)|[这们说时习节变让从应为对写觉还过发现实开]|[:：]|^\s*[-•]/iu;

/** Signs that prose does without, and dots within words, which may be addresses. */
const UNUSUAL =
  /[^\p{Script=Han}\p{Script=Bopomofo}\p{Script=Latin}\p{Extended_Pictographic}\uFE0F\u200D\d\s，。！？；、…—–.,!?;'’()（）《》·/-]|[\p{L}\d][.。]\p{Script=Latin}|\/\//u;

/** Longest name and quoted sentence, in Latin letters; a Han character counts as three. */
const NAME_ROOM = 84;
const SENTENCE_ROOM = 150;
/** The most foreign characters or words of a quote, by language of the text. */
const FOREIGN_SENTENCE = { en: 26, 'zh-TW': 30 };

const CJK =
  '\\p{Script=Han}\\p{Script=Bopomofo}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}';
const UNIT = new RegExp(`[${CJK}]|(?:(?![${CJK}])[\\p{L}\\p{N}]\\p{M}*)+`, 'gu');
const KEYCAP_EMOJI = /[0-9#*]\uFE0F?\u20E3/g;

const CHANGE =
  /發現|原來|第一次|(?<!一)開始|慢慢|不再|變得|終於|忽然|突然|其實|realis|realiz|notic|first time|used to|no longer|finally|instead/iu;
const DISCOVERY =
  /(?<!沒有?|未|不)發現|原來(?!的|想|要|打算)|才(?:知道|明白|想通|想到)|(?:忽然|突然|終於)(?:知道|明白|懂)|想通了|意識到|\bI (?:finally |suddenly )?(?:noticed|reali[sz]ed|understood)\b/iu;
/** The opening of a sentence that depends on the one before. */
const LEANS =
  /^(?:[他她它那]|這|所以|但是?|可是|不過|結果|後來|而|(?:he|she|it|they|that|this|so|but|and|then)\b)/iu;

/** Counts CJK characters and runs of other letters or digits, as the rule on the length of notes does. */
export function noteLength(note: string): number {
  return note.replaceAll(KEYCAP_EMOJI, ' ').match(UNIT)?.length ?? 0;
}

export function isIn(locale: Locale, text: string): boolean {
  return /\p{Script=Han}/u.test(text) === (locale === 'zh-TW');
}

/** Counts Han characters in an English text, Latin words in a Chinese one. */
function foreignUnits(text: string, locale: Locale): number {
  const pattern = locale === 'en' ? /\p{Script=Han}/gu : /[\p{Script=Latin}\d]+/gu;
  return text.match(pattern)?.length ?? 0;
}

/** Whether the script of the language leads by more than `margin` characters or words. */
export function prevails(locale: Locale, text: string, margin: number): boolean {
  const other = locale === 'en' ? 'zh-TW' : 'en';
  return foreignUnits(text, other) > foreignUnits(text, locale) + margin;
}

function isQuotable(text: string): boolean {
  return !UNQUOTABLE.test(text) && !UNUSUAL.test(text);
}

/** @returns undefined for a text that does not fit into a sentence, or with too many `foreign` words. */
export function quotable(value: unknown, locale?: Locale, foreign = 0): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.replaceAll(/\s+/g, ' ').trim();
  if (text === '' || roomOf(text) > NAME_ROOM || !isQuotable(text)) return undefined;
  if (locale !== undefined && foreignUnits(text, locale) > foreign) return undefined;
  return text;
}

export function quoteOf(note: string, locale: Locale): Quote | undefined {
  return quoteFrom(sentencesOf(note), locale);
}

/** The best sentence that fits; otherwise as many clauses of one as fit. */
export function quoteFrom(sentences: readonly string[], locale: Locale): Quote | undefined {
  const usable = sentences
    .filter((sentence) => isQuotable(sentence) && !/\s{2}|[^\S ]/u.test(sentence))
    .toSorted((a, b) => worth(b) - worth(a));
  const whole = usable.find((sentence) => fits(sentence, locale));
  if (whole !== undefined) return quote(whole.replace(/[。.]$/u, ''), false);
  for (const sentence of usable) {
    const clauses = sentence.match(/[^，,、；;]+[，,、；;]*/gu) ?? [];
    const ends = clauses.map((_, count) => clauses.slice(0, count + 1).join(''));
    const cut = ends.findLast((end) => fits(end, locale));
    if (cut !== undefined) return quote(`${cut.replace(/[，,、；;\s]+$/u, '')}…`, true);
  }
  return undefined;
}

function quote(text: string, isCut: boolean): Quote {
  return { text, isCut, tellsOfDiscovery: DISCOVERY.test(text) };
}

function sentencesOf(note: string): string[] {
  const pattern = /(?:[^。！？!?.\n]|\.(?!\s|$|\n))+(?:[。！？!?.]+|$|(?=\n))/gu;
  return (note.match(pattern) ?? []).map((sentence) => sentence.trim());
}

function fits(sentence: string, locale: Locale): boolean {
  return (
    roomOf(sentence) <= SENTENCE_ROOM &&
    foreignUnits(sentence, locale) <= FOREIGN_SENTENCE[locale] &&
    /\p{Script=Han}{4}|\w+ \w+ \w+/u.test(sentence) &&
    noteLength(sentence) >= 6
  );
}

function worth(sentence: string): number {
  const told =
    (CHANGE.test(sentence) ? 60 : 0) +
    (DISCOVERY.test(sentence) ? 60 : 0) -
    (LEANS.test(sentence) ? 40 : 0);
  return Math.min(roomOf(sentence), SENTENCE_ROOM) + told;
}

function roomOf(text: string): number {
  return text.length + 2 * (text.match(/\p{Script=Han}/gu)?.length ?? 0);
}
