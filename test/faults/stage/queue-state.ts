/**
 * What Redis holds of a job, read from its keys.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestRedis } from '../../support/stores/redis.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { HANG_MS } from '../../support/patience.ts';
import { undocumented } from '../../support/queue/keyspace.ts';

/** First two letters of a record of a job that has ended. */
const ENDED = /^[rfx]1/;
/** Keys in which an ended job may stand. */
const REMEMBERED = /:(jobs|done|events|failed|replies:[^:]+)$/;

/** Resolves once the queue has settled a job. */
export async function settled({ client, prefix }: TestRedis, id: string): Promise<void> {
  const deadline = performance.now() + HANG_MS;
  for (;;) {
    const record = (await client.hget(`${prefix}:{s0}:jobs`, id)) ?? '';
    if (ENDED.test(record)) return;
    if (performance.now() > deadline) {
      throw new Error(`the queue still holds ${id}: ${record.slice(0, 80) || 'nothing'}`);
    }
    await sleep(10);
  }
}

/** Resolves once the queue has a job. */
export async function enqueued({ client, prefix }: TestRedis, id: string): Promise<void> {
  await eventually('the queue has the job', async () => {
    return (await client.hexists(`${prefix}:{s0}:jobs`, id)) === 1;
  });
}

/** Resolves once a worker has messages it has not read. */
export async function inboxFilled({ client, prefix }: TestRedis, worker: string): Promise<void> {
  await eventually('a message lies in the inbox', async () => {
    return (await client.llen(`${prefix}:{s0}:inbox:${worker}`)) > 0;
  });
}

/** How often the queue has written down the end of a job, and how often it has announced it. */
export async function endings(
  { client, prefix }: TestRedis,
  id: string,
): Promise<{ kept: number; announced: number }> {
  const done = await client.lrange(`${prefix}:{s0}:done`, 0, -1);
  const events = await client.xrange(`${prefix}:{s0}:events`, '-', '+');
  return {
    kept: done.filter((one) => one === id).length,
    announced: events.filter(([, fields]) => fields.join().includes(id)).length,
  };
}

/** Keys that nobody documented, and those in which jobs stand that have ended. */
export async function leftovers(redis: TestRedis, ids: readonly string[]): Promise<string[]> {
  const { client, prefix } = redis;
  const keys = await client.keys(`${prefix}:{s*`);
  const strangers = await undocumented(client, keys, prefix);
  const found = strangers.map((key) => `the key ${key} is not documented`);
  for (const key of keys) {
    if (REMEMBERED.test(key)) continue;
    const text = await textOf(redis, key);
    for (const id of ids) if (text.includes(id)) found.push(`${id} is left in ${key}`);
  }
  return found;
}

async function textOf({ client }: TestRedis, key: string): Promise<string> {
  switch (await client.type(key)) {
    case 'list':
      return JSON.stringify(await client.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await client.smembers(key));
    case 'zset':
      return JSON.stringify(await client.zrange(key, '0', '-1'));
    case 'hash':
      return JSON.stringify(await client.hgetall(key));
    case 'string':
      return (await client.get(key)) ?? '';
    default:
      return '';
  }
}

/** The version of the feedback that is cached for a practice. */
export async function cachedVersion(
  { client, prefix }: TestRedis,
  practice: string,
): Promise<number | undefined> {
  const text = await client.get(`${prefix}:cache:feedback:${practice}`);
  return text === null ? undefined : Number.parseInt(text, 10);
}
