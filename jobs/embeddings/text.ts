/** Builds the texts to embed and the payload stored with each vector. */
import { createHash } from 'node:crypto';
import type { PracticeSource, UserSource } from '../../db/daodao/embedding-sources.ts';
import { estimateTokens } from './tokens.ts';

/** Token limit of one text, by our estimate; models accept about 8,000. */
const MAX_TOKENS = 6000;

/** The desired state of a user or practice in the vector store. */
export interface Entity {
  /** External id. */
  id: string;
  /** Undefined when the store must not hold it. */
  wanted: { text: string; payload: Record<string, unknown> } | undefined;
}

/** Includes private practices, as the vector is never shown to others. `wanted` is undefined for an empty profile. */
export function userEntity(user: UserSource): Entity {
  const practices = user.practices.filter(({ isDeleted }) => !isDeleted);
  const text = textOf([
    user.professionalField.join('、'),
    user.interests.join('、'),
    user.wantToDo.join('、'),
    user.tags.join('、'),
    user.personalSlogan,
    user.selfIntroduction,
    ...practices.flatMap(({ title, practiceAction }) => [title, practiceAction]),
  ]);
  const { externalId: id, tags, locale } = user;
  if (text === '') return { id, wanted: undefined };
  return { id, wanted: { text, payload: { entity_id: id, owner: id, tags, locale } } };
}

/** `wanted` is undefined unless the practice is public and active or completed. */
export function practiceEntity(practice: PracticeSource, owner: UserSource): Entity {
  const { externalId: id, title, practiceAction, status, privacy, tags, isDeleted } = practice;
  const isShown =
    !isDeleted && privacy === 'public' && (status === 'active' || status === 'completed');
  if (!isShown) return { id, wanted: undefined };
  const text = textOf([title, practiceAction, tags.join('、'), ...practice.notes]);
  const { externalId, locale } = owner;
  const payload = { entity_id: id, owner: externalId, tags, status, privacy, locale };
  return { id, wanted: { text, payload } };
}

export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** Joins the parts by newlines up to the token limit, skipping empty ones. */
function textOf(parts: readonly (string | null)[]): string {
  const lines: string[] = [];
  let left = MAX_TOKENS;
  for (const part of parts) {
    const line = cut(part?.trim() ?? '', left);
    if (line === '') continue;
    lines.push(line);
    left -= estimateTokens(line) + 1;
  }
  return lines.join('\n');
}

/** The longest prefix of at most `tokens` tokens, never splitting a character. */
function cut(text: string, tokens: number): string {
  if (tokens <= 0) return '';
  if (estimateTokens(text) <= tokens) return text;
  const characters = Array.from(text);
  let [low, high] = [0, characters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (estimateTokens(characters.slice(0, middle).join('')) <= tokens) low = middle;
    else high = middle - 1;
  }
  return characters.slice(0, low).join('');
}
