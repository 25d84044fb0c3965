/** Measures the notes of check-ins and selects the two most telling ones. */
import type { CheckIn } from '../../db/daodao/practices.ts';

const KEYCAP_EMOJI = /[0-9#*]\uFE0F?\u20E3/g;
const CJK =
  '\\p{Script=Han}\\p{Script=Bopomofo}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}';
const UNIT = new RegExp(`[${CJK}]|(?:(?![${CJK}])[\\p{L}\\p{N}]\\p{M}*)+`, 'gu');

/** Length of a note: 1 per CJK character and per run of other letters or digits. Whitespace would make a Chinese note one word. */
export function noteLength(note: string): number {
  return note.replaceAll(KEYCAP_EMOJI, ' ').match(UNIT)?.length ?? 0;
}

/** Words that mark a change in oneself. */
const CHANGE =
  /發現|原來|第一次|開始|慢慢|不再|變得|終於|忽然|突然|學會|意識到|其實|realis|realiz|notic|first time|used to|no longer|turns? out|finally|learn|suddenly|instead/giu;

interface TellingNote {
  checkIn: CheckIn;
  text: string;
}

/**
 * The two most telling notes, oldest first: long ones (up to 120 units) and ones with words of change. A repeated text counts once;
 * ties go to the earlier note, which keeps the choice deterministic.
 */
export function tellingNotes(checkIns: readonly CheckIn[]): TellingNote[] {
  const byText = new Map<string, TellingNote>();
  for (const checkIn of checkIns) {
    const text = checkIn.note?.trim() ?? '';
    if (noteLength(text) > 0 && !byText.has(text)) byText.set(text, { checkIn, text });
  }
  const notes = [...byText.values()];
  return notes
    .map((note, index) => ({ note, index, weight: weigh(note.text) }))
    .toSorted((a, b) => b.weight - a.weight || a.index - b.index)
    .slice(0, 2)
    .toSorted((a, b) => a.index - b.index)
    .map(({ note }) => note);
}

function weigh(text: string): number {
  const changes = text.match(CHANGE)?.length ?? 0;
  return Math.min(noteLength(text), 120) + 25 * Math.min(changes, 3);
}
