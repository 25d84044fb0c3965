/** Parses a model's reply into three paragraphs, or the reason why it is invalid. */
import { Type, type Static } from 'typebox';
import { Check } from 'typebox/schema';
import { cutInvisible } from './characters.ts';

export const Sections = Type.Object(
  { breakthrough: Type.String(), rhythm: Type.String(), insight: Type.String() },
  { additionalProperties: false },
);
export type Sections = Static<typeof Sections>;
export type SectionName = keyof Sections;

/** In reading order. */
export const SECTION_NAMES = ['breakthrough', 'rhythm', 'insight'] as const;

/** Longest paragraph, in characters: several times the requested length, yet small enough to store and show. */
const MAX_SECTION_LENGTH = 1500;

/** Longest answer without its thoughts: three paragraphs with every character escaped, and words around them. */
const MAX_BODY_LENGTH = 40_000;

const FENCE = '```';
const FIRST_KEY = `"${SECTION_NAMES[0]}"`;

/** `problem` is a sentence for the model that repairs the reply; it quotes nothing of the reply. */
type ParsedReply = { sections: Sections } | { problem: string };

/**
 * Accepts a JSON object of the schema, alone, in a code fence or within prose, and plain text of exactly three paragraphs. Ignores
 * `<think>` blocks, closed or not.
 */
export function parseReply(text: string): ParsedReply {
  const answer = stripThinking(text).trim();
  if (answer === '') return { problem: 'The reply was empty.' };
  const body = answer.startsWith('{') ? answer : (fencedIn(answer) ?? answer);
  if (body.length > MAX_BODY_LENGTH) return { problem: 'The reply was far too long.' };
  if (body.startsWith('[')) return parseJson(body);
  const object = objectIn(body);
  if (object !== undefined) return parseJson(object);
  return body.startsWith('{') ? parseJson(body) : parsePlain(body);
}

/** Joins the three paragraphs with blank lines. */
export function joinSections(sections: Sections): string {
  return SECTION_NAMES.map((name) => sections[name]).join('\n\n');
}

/** Reads each tag once: a search for pairs starts over at every opening tag, which takes minutes for a reply that repeats it. */
function stripThinking(text: string): string {
  let answer = '';
  let from: number | undefined = 0;
  for (const { 0: tag, index } of text.matchAll(/<\/?think>/gi)) {
    const closes = tag.startsWith('</');
    if (!closes && from !== undefined) {
      answer += text.slice(from, index);
      // A truncated reply lacks the closing tag.
      from = undefined;
    } else if (closes) {
      // Some servers drop the opening tag.
      if (from !== undefined) answer = '';
      from = index + tag.length;
    }
  }
  return from === undefined ? answer : answer + text.slice(from);
}

/** The content of the first code fence that is closed. */
function fencedIn(text: string): string | undefined {
  const opening = text.indexOf(FENCE);
  const closing = opening < 0 ? -1 : text.indexOf(FENCE, opening + FENCE.length);
  if (closing < 0) return undefined;
  return text
    .slice(opening + FENCE.length, closing)
    .replace(/^json/i, '')
    .trim();
}

/** From the first brace to the last, if the first key is between them: some models add prose around the object. */
function objectIn(text: string): string | undefined {
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}');
  const key = start < 0 ? -1 : text.indexOf(FIRST_KEY, start);
  return key < 0 || key + FIRST_KEY.length > end ? undefined : text.slice(start, end + 1);
}

function parseJson(body: string): ParsedReply {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { problem: 'The reply was not valid JSON.' };
  }
  if (!Check(Sections, value)) {
    return {
      problem:
        'The JSON must have exactly the keys breakthrough, rhythm and insight, each a string.',
    };
  }
  return checked(value);
}

function parsePlain(body: string): ParsedReply {
  const paragraphs = body.split(/\n\s*\n/).filter((paragraph) => paragraph.trim() !== '');
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  const parts = paragraphs.length === 3 ? paragraphs : lines;
  if (parts.length !== 3) {
    return {
      problem: `The reply was plain text of ${paragraphs.length} paragraphs instead of a JSON object.`,
    };
  }
  const [breakthrough, rhythm, insight] = parts as [string, string, string];
  return checked({ breakthrough, rhythm, insight });
}

function checked(raw: Sections): ParsedReply {
  const sections = { ...raw };
  for (const name of SECTION_NAMES) {
    sections[name] = oneParagraph(raw[name]);
    if (sections[name] === '') return { problem: `The paragraph ${name} was empty.` };
    if (sections[name].length > MAX_SECTION_LENGTH) {
      return { problem: `The paragraph ${name} was longer than ${MAX_SECTION_LENGTH} characters.` };
    }
  }
  return { sections };
}

/** Removes line breaks after Chinese punctuation, and what no reader sees; other breaks become spaces. */
function oneParagraph(text: string): string {
  const broken = text.replaceAll(/\s+/gu, (space) => (space.includes('\n') ? '\n' : space));
  return cutInvisible(broken.replaceAll(/(?<=[，。！？；、])\n(?=\p{Script=Han})/gu, '')).trim();
}
