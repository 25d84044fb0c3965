/**
 * Builds the prompt. The system message holds only our rules; everything a person wrote is JSON in a separate message:
 *
 *     <practice_data>
 *     {"locale": "zh-TW", "practice": {...}, "owner": {...}, "statistics": {...}, "notes": [...]}
 *     </practice_data>
 *
 * The JSON escapes `<` and `>`, so that no text can close the block or open another.
 */
import type { CheckIn, Mood, PracticeMaterial } from '../../db/daodao/practices.ts';
import type { ChatMessage, ChatRequest } from '../llm/model.ts';
import type { Locale } from '../common/locale.ts';
import { tellingNotes } from './notes.ts';
import { Sections } from './reply/parse.ts';
import { RULES } from './rules.ts';
import { daysBetween, summarise, type Statistics } from './statistics.ts';

/** Increment with every change of the rules or the data. Part of the input hash, so older feedback may be rewritten. */
export const PROMPT_VERSION = 'feedback-1';

/** Leaves room for three paragraphs and a model's reasoning. */
const MAX_TOKENS = 2000;

/** Longest excerpt of a text, in characters. */
const MAX_EXCERPT = 400;

/** The content of the data message. Empty optional fields are omitted. */
export interface PromptData {
  locale: Locale;
  practice: {
    title: string;
    action?: string;
    tags?: string[];
    durationDays: number;
    timesPerWeek: number;
    sessionMinutes?: number;
    reflection?: string;
  };
  owner: { nickname?: string; slogan?: string; fields?: string[]; tags?: string[] };
  statistics: Statistics;
  /** The most telling notes; `day` 1 is the first day of the practice. */
  notes: { day: number; mood?: Mood; text: string }[];
}

export function buildPrompt(material: PracticeMaterial, locale: Locale): ChatRequest {
  return {
    messages: [
      { role: 'system', content: RULES[locale] },
      { role: 'user', content: dataMessage(promptData(material, locale)) },
    ],
    schema: { name: 'practice_feedback', schema: { ...Sections } },
    maxTokens: MAX_TOKENS,
  };
}

/** Continues the conversation with the model's reply and the complaint about it. */
export function followUp(prompt: ChatRequest, reply: string, complaint: string): ChatRequest {
  const messages: ChatMessage[] = [
    ...prompt.messages,
    // Servers reject empty messages.
    { role: 'assistant', content: reply.slice(0, 4000).trim() || '{}' },
    { role: 'user', content: complaint },
  ];
  return { ...prompt, messages };
}

function promptData({ practice, owner, checkIns }: PracticeMaterial, locale: Locale): PromptData {
  const firstDay = practice.startDate ?? checkIns[0]?.date;
  return {
    locale,
    practice: {
      title: practice.title,
      ...optional('action', practice.practiceAction),
      ...optional('tags', practice.tags),
      durationDays: practice.durationDays,
      timesPerWeek: practice.frequencyMinDays,
      ...(practice.sessionDurationMinutes === null
        ? {}
        : { sessionMinutes: practice.sessionDurationMinutes }),
      ...optional('reflection', practice.reflection),
    },
    owner: {
      ...optional('nickname', owner.nickname),
      ...optional('slogan', owner.personalSlogan),
      ...optional('fields', owner.professionalField),
      ...optional('tags', owner.tags),
    },
    statistics: summarise(checkIns),
    notes: tellingNotes(checkIns).map(({ checkIn, text }) => ({
      day: dayOf(checkIn, firstDay),
      ...(checkIn.mood === null ? {} : { mood: checkIn.mood }),
      text: excerpt(text),
    })),
  };
}

function dayOf(checkIn: CheckIn, firstDay: string | undefined): number {
  return Math.max(daysBetween(firstDay ?? checkIn.date, checkIn.date) + 1, 1);
}

/** An object with the property, or an empty object when the value is empty. */
function optional(name: string, value: string | string[] | null): Record<string, unknown> {
  if (Array.isArray(value)) return value.length === 0 ? {} : { [name]: value };
  const text = value?.trim() ?? '';
  return text === '' ? {} : { [name]: excerpt(text) };
}

/** Cuts between grapheme clusters, so that no emoji is split. */
function excerpt(text: string): string {
  if (text.length <= MAX_EXCERPT) return text;
  const characters = new Intl.Segmenter().segment(text.slice(0, MAX_EXCERPT + 20));
  let cut = '';
  for (const { segment } of characters) {
    if (cut.length + segment.length > MAX_EXCERPT) break;
    cut += segment;
  }
  return `${cut}…`;
}

function dataMessage(data: PromptData): string {
  const json = JSON.stringify(data).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e');
  return `<practice_data>\n${json}\n</practice_data>`;
}
