/**
 * What DaoDao's front end calls, in the way it does.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { TSchema } from 'typebox';
import type { Answer, TaskBody } from './app.ts';
import { atEnd } from '../at-end.ts';
import { insertCheckIn, insertPractice } from '../domain/practices.ts';
import { environmentOf, run, type Run } from './process.ts';
import { startProxy } from '../stores/proxy.ts';
import { startWhole, type Caller, type Whole } from './whole.ts';

export interface Card {
  practiceId: string;
  title: string;
  tags: string[];
  creator: { id: string; name: string };
  matchReasonCode: string;
  matchReasonText: string;
  feedbackState: string;
}

export interface Envelope<T> {
  success: boolean;
  data: T;
  error: { code: string } | null;
  pagination: { limit: number; nextCursor: string | null; hasMore: boolean } | null;
  timestamp: string;
  requestId: string;
  cacheHit: boolean;
  processingTime: number;
}

export type Accepted = Answer<{ task_id: string }>;

export async function embed(whole: Whole, who: Caller): Promise<Record<string, number>> {
  const accepted: Accepted = await who.call('POST', '/users/me/embeddings');
  return whole.done(who, accepted);
}

export async function refresh(
  whole: Whole,
  who: Caller,
): Promise<{ users: number; missing: string[] }> {
  const accepted: Accepted = await who.call('POST', '/users/me/recommendations/refresh');
  return whole.done(who, accepted);
}

export async function cards(who: Caller, query = ''): Promise<Card[]> {
  const answer = await who.call<Envelope<Card[]>>(
    'GET',
    `/api/v1/recommendation/topic_cards?limit=20${query}`,
  );
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.data;
}

/** Enough to say something true about. */
export const NOTE =
  '今天比昨天早十分鐘開始，窗邊的光剛好落在書頁上，讀到第三章時忽然懂了作者為什麼要從結尾寫起。';
export const TOPIC_CARDS = '/recommendation/topic_cards';
const LEARNER = '念安';

/** What the API says of the answer to a GET: the schema of its 200. */
export async function schemaOf(whole: Whole, path: string): Promise<TSchema> {
  interface Described {
    get: { responses: Record<string, { content: Record<string, { schema: TSchema }> }> };
  }
  const answer = await whole.anonymous.call<{ paths: Record<string, Described> }>(
    'GET',
    '/openapi.json',
  );
  return answer.body.paths[path]!.get.responses['200']!.content['application/json']!.schema;
}

/** Somebody has looked at something. */
export const viewEvent = () => ({
  event_id: randomUUID(),
  event_type: 'content_view',
  entity_type: 'practice',
  entity_id: randomUUID(),
  occurred_at: new Date().toISOString(),
});

/** The API on the seed, with a worker and a scheduler that are processes of their own, and two people who use it. */
export async function openTrials(t: TestContext) {
  const redis = await startProxy(process.env['TEST_REDIS_URL']!);
  atEnd(t, () => redis.cut());
  const whole = await startWhole(t, { role: 'api', redisUrl: redis.url });
  const { pool } = whole.database;
  const start = async (role: string): Promise<Run> => {
    const env = { ...environmentOf(whole.config), ROLE: role, WORKER_THREADS: '1' };
    const process = run(t, 'main.js', env);
    await process.wrote(/process\.started/);
    return process;
  };
  let [worker] = await Promise.all([start('worker'), start('scheduler')]);
  const learner = await whole.as(LEARNER);
  const emily = await whole.as('Emily');
  await embed(whole, learner);
  await refresh(whole, learner);

  /** A finished practice with notes, unless told otherwise. */
  const practice = async (who: Caller, columns: object = {}, note = NOTE): Promise<string> => {
    const { rows } = await pool.query<{ id: number }>(
      'SELECT id FROM users WHERE external_id = $1',
      [who.externalId],
    );
    const owner = rows[0]!.id;
    const made = await insertPractice(pool, owner, { progress_percentage: 100, ...columns });
    for (const day of ['2026-01-05', '2026-01-07', '2026-01-09']) {
      await insertCheckIn(pool, made.id, owner, day, { note, mood: 'good' });
    }
    return made.externalId;
  };
  const ask = (who: Caller, id: string): Promise<Accepted> =>
    who.call('POST', `/practices/${id}/feedback`);
  const status = async (who: Caller, { body }: Accepted, wait = 0) =>
    (await who.call<TaskBody>('GET', `/tasks/${body.task_id}?wait=${wait}`)).body;
  const refused = async (work: Promise<Answer<unknown>>) => {
    const { status: code, body } = await work;
    return [code, (body as { error: { code: string } }).error.code];
  };
  const judge = (id: string, feedbackType: string) =>
    learner.call<Envelope<{ feedbackState: string }>>(
      'POST',
      `/api/v1${TOPIC_CARDS}/${id}/feedback`,
      { body: { feedbackType } },
    );
  return {
    whole,
    redis,
    learner,
    emily,
    practice,
    ask,
    status,
    refused,
    judge,
    /** Kills the worker, and starts another. */
    async replaceWorker() {
      worker.child.kill('SIGKILL');
      worker = await start('worker');
    },
  };
}
