/**
 * The characters that feedback may contain. Everything else is either cut, when a reader loses nothing, or a violation, for which the
 * model is asked again.
 */

/** The grammar of Unicode's UTS #51 without tag sequences: flags, keycaps, and pictographs joined by U+200D. */
const PICTOGRAPH = '\\p{Extended_Pictographic}(?:\\uFE0F|\\p{Emoji_Modifier})?';
const EMOJI = `\\p{Regional_Indicator}{2}|[\\d#*]\\uFE0F?\\u20E3|${PICTOGRAPH}(?:\\u200D${PICTOGRAPH})*`;
const EMOJI_OR_INVISIBLE = new RegExp(
  `(${EMOJI})|[\\p{Default_Ignorable_Code_Point}\\p{Cf}]+`,
  'gu',
);
const EVERY_EMOJI = new RegExp(EMOJI, 'gu');
/** Stands for an emoji where only the text around it matters. */
const EMOJI_MARK = '\uFFFC';

/** Line breaks and other controls, halves of characters, and spaces of unusual width. */
const UNUSUAL_SPACE = /[\p{Cc}\p{Cs}\u2028\u2029]+|(?![ \u3000])\p{Zs}/gu;

const LETTERS =
  '\\p{Script=Han}\\p{Script=Bopomofo}\\p{Script=Latin}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}ーˊˇˋ˙π';
/** Those with a meaning in Markdown or HTML are allowed in some places only: see markup.ts. */
const ASCII = ` \\d!"#$%&'()+,\\-./:;=?_~`;
const PUNCTUATION =
  '‐‑–—―‘’“”…⋯′″·‧•・、。〃〈〉《》「」『』〔〕〜〝〞！＂＄％＆＇（）＋，－．／０-９：；＝？～｡\u3000';
const SYMBOLS = '°℃℉×÷±≈≠≤≥→←↑↓²³½¼¾§€£¥№√';
/** Brackets of headings and the signs of markup have rules of their own, with better words for the model. */
const JUDGED_ELSEWHERE = '<>＜＞@＠*＊`｀|｜\\[\\]［］{}｛｝\\\\＼\\^＾＃＿【】〖〗';

/** Up to two accents may follow a Latin letter, as in Taiwanese romanisation; more of them hide the line. */
const FORBIDDEN = new RegExp(
  `(?<!\\p{Script=Latin}\\p{M}?)\\p{M}|[^\\p{M}${LETTERS}${ASCII}${PUNCTUATION}${SYMBOLS}${JUDGED_ELSEWHERE}${EMOJI_MARK}]`,
  'u',
);

/**
 * Cuts what no reader sees: invisible, bidirectional and tag characters, and variation selectors outside emoji. Controls and unusual
 * spaces become spaces.
 */
export function cutInvisible(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(EMOJI_OR_INVISIBLE, (_, emoji?: string) => emoji ?? '')
    .replaceAll(UNUSUAL_SPACE, ' ');
}

/** Replaces each emoji by one mark, so that rules judge the text around it. */
export function markEmoji(text: string): string {
  return text.replaceAll(EVERY_EMOJI, EMOJI_MARK);
}

/** @param text after `cutInvisible` and `markEmoji`. @returns the first character that is not allowed, by its code point. */
export function findForbidden(text: string): string | undefined {
  const found = FORBIDDEN.exec(text)?.[0].codePointAt(0);
  return found === undefined ? undefined : `U+${found.toString(16).toUpperCase().padStart(4, '0')}`;
}
