/**
 * The connection of a worker and of a producer to Redis is broken in every way, over and over.
 */
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Producer } from '../../../jobs/queue/index.ts';
import { eventually, startConsumer } from '../../support/queue/consumers.ts';
import { startFlakyProxy, type FlakyProxy } from '../../support/stores/flaky-proxy.ts';
import { redisUrl, request, testQueue, type TestQueue } from '../../support/queue/scripts.ts';
import { chance, report, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('reconnect', { faults: { ci: 25, full: 1000 } });
/** How long a fault lasts at most, in milliseconds. */
const FAULT_MS = 400;

const { integer } = chance();

/** Every way in which a connection may break; `hold` and `mute` go on until they are healed. */
const BREAKS: Record<string, (proxy: FlakyProxy) => void> = {
  cut: (proxy) => proxy.cut(),
  mute: (proxy) => void (proxy.mode = 'mute'),
  'half-open': (proxy) => void (proxy.mode = 'hold'),
  ghosts: (proxy) => proxy.leaveGhosts(),
};
/** What the worker is doing meanwhile. */
const STATES = ['idle', 'working'] as const;

const heal = (proxy: FlakyProxy): void => {
  proxy.mode = 'forward';
  proxy.cut();
};

/** Connections of this queue that Redis knows. */
async function connectionsOf({ redis, prefix }: TestQueue): Promise<number> {
  const list = String(await redis.client('LIST'));
  return list.split('\n').filter((line) => line.includes(` name=${prefix}:`)).length;
}

test('a storm on connections', async (t: TestContext) => {
  const queue = testQueue(t);
  const proxy = await startFlakyProxy(t, redisUrl());
  const broker = queue.another({ url: proxy.url });
  // Stopping asks Redis.
  queue.atEnd(async () => heal(proxy));
  const worker = await startConsumer(queue, { limit: 100, settle: true, leaseMs: 60_000 }, broker);
  const producer = new Producer(broker);
  let n = 0;
  const expected: string[] = [];
  const add = async (): Promise<void> => {
    const job = request((n++).toString(36));
    expected.push(job.id);
    await producer.enqueue(job);
  };
  await add();
  await worker.until(1);
  const baseline = await connectionsOf(queue);

  const violations: string[] = [];
  const waitsMs: number[] = [];
  let hanging = 0;
  for (let fault = 0; fault < SIZES.faults; fault++) {
    const names = Object.keys(BREAKS);
    const name = names[fault % names.length]!;
    const state = STATES[Math.floor(fault / names.length) % STATES.length]!;
    const calls: Promise<unknown>[] = [];
    if (state === 'working') for (let i = 0; i < 20; i++) calls.push(add().catch(() => undefined));
    await sleep(integer(20));
    BREAKS[name]!(proxy);
    if (state === 'working') for (let i = 0; i < 20; i++) calls.push(add().catch(() => undefined));
    await sleep(integer(FAULT_MS));
    heal(proxy);
    const healedMs = performance.now();
    const marker = request(`new-${fault}`);
    const began = (): boolean => worker.delivered.some(({ job }) => job.id === marker.id);
    // What a broken connection swallowed is sent again by whoever asked for it.
    const asking = eventually('it is accepted', () =>
      producer.enqueue(marker).then(
        () => true,
        () => false,
      ),
    );
    await Promise.all([asking, eventually('it begins', began)]).catch(() =>
      violations.push(`no new work after ${name} while ${state}`),
    );
    waitsMs.push(performance.now() - healedMs);
    let settled = false;
    void Promise.all(calls).then(() => (settled = true));
    await eventually('every call is answered', () => settled).catch(() => hanging++);
  }
  if (hanging > 0) violations.push(`${hanging} times calls were left without an answer`);
  await eventually(
    'no connection is left over',
    async () => (await connectionsOf(queue)) <= baseline,
  ).catch(async () =>
    violations.push(`${await connectionsOf(queue)} connections, ${baseline} at first`),
  );
  const names = new Set(worker.delivered.map(({ job }) => job.id));
  if (names.size < worker.delivered.length) violations.push('a job was delivered twice');
  const sorted = waitsMs.toSorted((a, b) => a - b);
  report(t, {
    figure: `connections to Redis broken ${SIZES.faults} x`,
    result: `new work ${Math.round(sorted[Math.floor(sorted.length / 2)]!)} ms after healing (median), ${Math.round(sorted.at(-1)!)} ms at most; ${names.size} of ${expected.length + SIZES.faults} jobs known and delivered once`,
    violations,
  });
});
