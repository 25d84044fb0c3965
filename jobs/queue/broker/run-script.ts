/** Sends scripts by hash and retries them while Redis is unavailable. */
import { setTimeout as sleep } from 'node:timers/promises';
import { send, type Client } from '../../../base/redis/connection.ts';
import { classify } from './errors.ts';
import { script, type ScriptName } from './scripts.ts';

/** How long to retry, in milliseconds. A function is evaluated before each retry. */
export type Patience = number | (() => number);

/** Retrying is safe because every script is idempotent. @throws {QueueError} */
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
