/**
 * Scripts as they are sent: by their hash, and again while Redis is unavailable.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { send, type Client } from '../../../base/redis/connection.ts';
import { classify } from './errors.ts';
import { script, type ScriptName } from './scripts.ts';

/** How long a script is sent again while Redis is unavailable, in milliseconds; a function is called before each time. */
export type Patience = number | (() => number);

/**
 * Runs a script on a shard. Every script is idempotent, so while Redis is unavailable it is sent again until `patienceMs` have
 * passed.
 * @throws {QueueError}
 */
export async function runScript<T>(
  redis: Client,
  name: ScriptName,
  key: string,
  args: readonly (string | number)[],
  patienceMs: Patience,
): Promise<T> {
  const startedMs = performance.now();
  const isOver = (inMs: number): boolean => {
    const patience = typeof patienceMs === 'function' ? patienceMs() : patienceMs;
    return performance.now() + inMs > startedMs + patience;
  };
  for (let delayMs = 20; ; delayMs = Math.min(delayMs * 2, 500)) {
    try {
      return await evaluate<T>(redis, name, key, args);
    } catch (error) {
      const failure = classify(error);
      if (failure.code !== 'REDIS_UNAVAILABLE' || isOver(delayMs)) throw failure;
      await sleep(delayMs);
      if (isOver(0)) throw failure;
    }
  }
}

async function evaluate<T>(
  redis: Client,
  name: ScriptName,
  key: string,
  args: readonly (string | number)[],
): Promise<T> {
  const { sha, source } = script(name);
  try {
    return await send<T>(redis, () => redis.call('EVALSHA', sha, 1, key, ...args));
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return send<T>(redis, () => redis.call('EVAL', source, 1, key, ...args));
  }
}
