/**
 * A key prefix of its own for every test file, on the server of `TEST_REDIS_URL`.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
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

/**
 * The commands on keys of the prefix while `work` runs, those inside scripts aside. Reads the stream of MONITOR itself: ioredis
 * breaks if another client's command follows at once.
 */
export async function commandsDuring(
  { url, client, prefix }: TestRedis,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = createInterface({ input: socket });
  const commands: string[] = [];
  const last = `${prefix}:${randomUUID()}`;
  const heardLast = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line.includes(last)) resolve();
      else if (line.includes(prefix) && !line.includes(' lua]')) commands.push(line);
    });
  });
  try {
    socket.write('MONITOR\r\n');
    const [answer] = (await once(lines, 'line')) as [string];
    assert.equal(answer, '+OK');
    await work();
    await client.exists(last);
    await heardLast;
  } finally {
    socket.destroy();
  }
  return commands;
}
