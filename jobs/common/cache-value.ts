/** Cache write at the end of a task. */
import type { Context } from '../define.ts';

/**
 * Caches a value unless the cache holds a newer version. Logs a permanent refusal, as the task's work is already done.
 * @param version from Postgres.
 * @throws when the cache is unavailable, so that the next attempt writes the value.
 */
export async function cacheValue(
  { cache, log }: Pick<Context, 'cache' | 'log'>,
  key: string,
  version: number,
  value: unknown,
  ttlSeconds: number,
): Promise<void> {
  const error = await cache.set(key, version, value, ttlSeconds);
  if (error !== undefined) log('the cache refused a value', { key, error });
}
