/**
 * A key prefix of its own for every test file, on the server of `TEST_REDIS_URL`.
 */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';

export interface TestRedis {
  url: string;
  /** First part of every key the file may write. */
  prefix: string;
  client: Redis;
  /** Removes every key of the prefix, and closes the client. */
  clear(): Promise<void>;
  /** Removes the keys alone: what FLUSHALL does to whoever uses the prefix. */
  flush(): Promise<void>;
}

/** @throws when the tests were not started by the runner. */
export function testRedisUrl(): string {
  const url = process.env['TEST_REDIS_URL'];
  if (url === undefined) throw new Error('TEST_REDIS_URL is not set: run the tests with npm test');
  return url;
}

export function createTestRedis(): TestRedis {
  const url = testRedisUrl();
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const client = new Redis(url);
  const flush = async (): Promise<void> => {
    for await (const keys of client.scanStream({ match: `*${prefix}*`, count: 1000 })) {
      if ((keys as string[]).length > 0) await client.del(keys as string[]);
    }
  };
  return {
    url,
    prefix,
    client,
    flush,
    async clear() {
      await flush();
      client.disconnect();
    },
  };
}

/** The commands on keys of the prefix while `work` runs, those inside scripts aside. */
export async function commandsDuring(
  { client, prefix }: TestRedis,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const monitor = await client.monitor();
  const last = `${prefix}:${randomUUID()}`;
  const commands: string[] = [];
  const heard = new Promise<void>((resolve) => {
    monitor.on('monitor', (_time: string, parts: string[], source: string) => {
      if (parts.includes(last)) resolve();
      else if (source !== 'lua' && parts.some((part) => part.includes(prefix)))
        commands.push(parts.join(' '));
    });
  });
  try {
    await work();
    await client.exists(last);
    await heard;
  } finally {
    monitor.disconnect();
  }
  return commands;
}
