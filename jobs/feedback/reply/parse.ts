/** Parses a model's reply into three paragraphs, or the reason why it is invalid. */
import { Type, type Static } from 'typebox';
import { Check } from 'typebox/schema';

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

/** `problem` is a sentence for the model that repairs the reply; it quotes nothing of the reply. */
type ParsedReply = { sections: Sections } | { problem: string };

/**
 * Accepts a JSON object of the schema, alone, in a code fence or within prose, and plain text of exactly three paragraphs. Ignores
 * `<think>` blocks, closed or not.
 */
export function parseReply(text: string): ParsedReply {
  const answer = stripThinking(text).trim();
  if (answer === '') return { problem: 'The reply was empty.' };
  const fenced = /```(?:json)?\s*\n?([\s\S]*?)```/i.exec(answer)?.[1]?.trim();
  const body = fenced ?? answer;
  if (body.startsWith('[')) return parseJson(body);
  // Some models add prose around the object.
  const object = /\{[\s\S]*"breakthrough"[\s\S]*\}/.exec(body)?.[0];
  if (object !== undefined) return parseJson(object);
  return body.startsWith('{') ? parseJson(body) : parsePlain(body);
}

/** Joins the three paragraphs with blank lines. */
export function joinSections(sections: Sections): string {
  return SECTION_NAMES.map((name) => sections[name]).join('\n\n');
}

function stripThinking(text: string): string {
  const closed = text.replaceAll(/<think>[\s\S]*?<\/think>/gi, '');
  // Some servers drop the opening tag, and a truncated reply lacks the closing one.
  return closed.replace(/^[\s\S]*<\/think>/i, '').replace(/<think>[\s\S]*$/i, '');
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

/** Replaces control characters, which Postgres and browsers mishandle; removes line breaks after Chinese punctuation. */
function oneParagraph(text: string): string {
  return text
    .replaceAll(/(?<=[，。！？；、])\s*\n\s*(?=\p{Script=Han})/gu, '')
    .replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, ' ')
    .trim();
}
