/**
 * What of a user and a practice is embedded, and which facts go beside the vector.
 */
import { createHash } from 'node:crypto';
import type { PracticeSource, UserSource } from '../../db/daodao/embedding-sources.ts';
import { estimateTokens } from './tokens.ts';

/** Most tokens of one text, by our own count: models take some 8,000. */
const MAX_TOKENS = 6000;

/** What should stand in the vector store for a user or a practice. */
export interface Entity {
  /** External id. */
  id: string;
  /** Undefined for what must not be found. */
  wanted: { text: string; payload: Record<string, unknown> } | undefined;
}

/** The user's own goals and practices, public or not: the vector stays with its owner. Nothing, for who has told nothing yet. */
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

/** A practice that others may be shown: public, going on or completed. */
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

/** Digest of what a vector is made from. */
export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** One part a line, as many as a model takes; parts that say nothing are left out. */
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

/** The beginning of a text that has so many tokens at most. */
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
