/**
 * Tells whether a paragraph is in the language asked for, by its scripts, by the characters that Taiwan does not use, and by the small
 * words of English. Words that both writings of Chinese spell alike (視頻) and short phrases of other languages in Latin script are not
 * told apart.
 */
import simplifiedToTraditional from 'opencc-js/dict/STCharacters';
import type { Locale } from '../../common/locale.ts';

const HAN = /\p{Script=Han}/gu;
const WORD = /\p{Script=Latin}[\p{Script=Latin}\p{M}'’-]*/gu;
const OTHER_SCRIPT = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
/** Notes may be quoted in any language. */
const QUOTED = /「[^「」]*」|『[^『』]*』|“[^“”]*”|《[^《》]*》|"[^"]*"/gu;

/** Most characters or words of the other language in a sentence beyond its own, outside quotes: a name, a term. */
const MOST_FOREIGN = 6;

/** At least one word in seven of an English paragraph is one of these; some two in five usually are. */
const SMALL_WORDS = new Set(
  `the and you your yours of to that this these those is was were are it its with for what when where how from have had has not
   but as by be been they them there their at or if than then which who would could can did do does up out one each every some
   more about into over after before while still yet made came back kept day days`.split(/\s+/u),
);
const SHARE_OF_SMALL_WORDS = 1 / 7;
/** Shorter sentences and paragraphs are not counted: names and lists have no small words. */
const FEWEST_WORDS = 8;

const SIMPLIFIED = simplifiedCharacters();

/** @returns the first character that Taiwan does not use. */
export function findSimplified(text: string): string | undefined {
  for (const character of text) if (SIMPLIFIED.has(character)) return character;
  return undefined;
}

/** @param text one or more sentences. */
export function findForeign(text: string, locale: Locale): string | undefined {
  const plain = text.replaceAll(QUOTED, ' ');
  const other = OTHER_SCRIPT.exec(plain)?.[0];
  if (other !== undefined) return other;
  const han = plain.match(HAN)?.length ?? 0;
  const words = plain.match(WORD) ?? [];
  const [own, foreign] = locale === 'en' ? [words.length, han] : [han, words.length];
  if (foreign > own + MOST_FOREIGN) return plain.trim().slice(0, 20);
  return locale === 'en' && !isEnglish(words) ? plain.trim().slice(0, 20) : undefined;
}

/** Whether the script of the language prevails in a paragraph, quotes included. */
export function prevails(locale: Locale, text: string): boolean {
  const han = text.match(HAN)?.length ?? 0;
  const words = text.match(WORD)?.length ?? 0;
  return locale === 'en' ? words > han : han > words;
}

function isEnglish(words: readonly string[]): boolean {
  if (words.length < FEWEST_WORDS) return true;
  const small = words.filter((word) => SMALL_WORDS.has(word.toLowerCase().split(/['’]/u)[0]!));
  return small.length >= words.length * SHARE_OF_SMALL_WORDS;
}

/** What OpenCC converts to another character, except what Big5 counts among Taiwan's common characters, such as 后 and 里. */
function simplifiedCharacters(): Set<string> {
  const common = commonInTaiwan();
  const entries = simplifiedToTraditional.split('|').map((entry) => entry.split(' ')[0]!);
  return new Set(entries.filter((character) => !common.has(character)));
}

/** Level 1 of Big5: lead bytes A4 to C6. */
function commonInTaiwan(): Set<string> {
  const decoder = new TextDecoder('big5');
  const common = new Set<string>();
  for (let lead = 0xa4; lead <= 0xc6; lead++) {
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      common.add(decoder.decode(Uint8Array.of(lead, trail)));
    }
  }
  return common;
}
