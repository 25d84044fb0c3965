/** Checks that a URL leads to a Redis that can hold jobs. */
import { Redis } from 'ioredis';
import { readInfo, unfitness } from './fitness.ts';

/**
 * @param timeoutMs connect timeout, in milliseconds.
 * @throws an error whose message is the reason.
 */
export async function probeRedis(
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  // The promise only reports a closed connection; the event carries the cause.
  let cause: unknown;
  client.on('error', (error) => (cause ??= error));
  signal.addEventListener('abort', () => client.disconnect());
  try {
    await client.connect();
    // ioredis silently falls back to database 0 when the one in the URL does not exist.
    await client.select(Number(new URL(url).pathname.slice(1)) || 0);
    const reason = unfitness(readInfo(await client.info()));
    if (reason !== undefined) throw new Error(reason);
  } catch (error) {
    throw cause ?? error;
  } finally {
    // On a connection that never opened, `disconnect` leaves a 2 s timer behind.
    if (client.status !== 'end') client.disconnect();
  }
}
