/**
 * Whether a URL leads to a Redis that can hold jobs.
 */
import { Redis } from 'ioredis';
import { readInfo, unfitness } from './fitness.ts';

/**
 * @param timeoutMs longest wait for a connection, in milliseconds.
 * @throws an error whose message is the reason why it does not.
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
  // The promise only says that the connection closed; the event says why.
  let cause: unknown;
  client.on('error', (error) => (cause ??= error));
  signal.addEventListener('abort', () => client.disconnect());
  try {
    await client.connect();
    // The client goes on in database 0 when the one in the URL does not exist.
    await client.select(Number(new URL(url).pathname.slice(1)) || 0);
    const reason = unfitness(readInfo(await client.info()));
    if (reason !== undefined) throw new Error(reason);
  } catch (error) {
    throw cause ?? error;
  } finally {
    // On a connection that never was, `disconnect` leaves a timer of 2 s behind.
    if (client.status !== 'end') client.disconnect();
  }
}
