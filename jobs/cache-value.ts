/**
 * Writing to the cache at the end of a task.
 */
import type { Context } from './define.ts';

/**
 * Caches a value unless a newer version is there. A value that the cache refuses is logged: it must not fail work that is done
 * by then.
 * @param version from Postgres.
 * @throws when the cache is unavailable, so that the next attempt writes it.
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
