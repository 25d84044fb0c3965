/**
 * What one runner holds over all shards: while it is full it leaves the jobs of every shard in line, and asks for none.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { Runner, type Broker } from '../../../../jobs/queue/index.ts';
import { eventually } from '../../../support/queue/consumers.ts';
import { lossyBroker } from '../../../support/queue/lossy-broker.ts';
import { request, short, testQueue, uuid, type TestQueue } from '../../../support/queue/scripts.ts';

/** How long a runner that has nothing to do is watched, in milliseconds, and the most rounds it may send meanwhile. */
const WATCHED_MS = 600;
const FEW = 4;

/** Names of jobs that live on a shard. */
function namesOn(queue: TestQueue, shard: number, count: number, prefix: string): string[] {
  const found: string[] = [];
  for (let i = 0; found.length < count; i++) {
    const name = `${prefix}${i}`;
    if (queue.broker.shardOf(uuid(name)) === shard) found.push(name);
  }
  return found;
}

const addAll = (queue: TestQueue, shard: number, some: readonly string[]) =>
  queue.broker.enqueue(
    shard,
    some.map((name) => request(name)),
  );

const at = (some: readonly string[]) => some.map((name) => `@${name}`).toSorted();

/** A runner whose jobs called `long` last until they are released, and the names of those started. */
async function startRunner(queue: TestQueue, broker: Broker, concurrency: number) {
  const started: string[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const runner = new Runner(broker, {
    queues: ['main'],
    concurrency,
    leaseMs: 60_000,
    run: async ({ id }) => {
      const name = short(id);
      started.push(name);
      if (name.startsWith('@long')) await released;
      return '1';
    },
  });
  queue.atEnd(() => runner.stop());
  queue.atEnd(async () => release());
  await runner.start();
  return { runner, started, release };
}

const lined = async (queue: TestQueue, shard: number): Promise<string[]> =>
  (((await queue.read(shard))['wait:main:5'] ?? []) as string[]).toSorted();

const isIdle = async (queue: TestQueue, shard: number): Promise<boolean> =>
  Object.keys((await queue.read(shard))['free'] ?? {}).length === 1;

/** Whether the runner that waits takes more jobs of each shard than it runs at a time. */
async function holdsAhead(queue: TestQueue, concurrency: number): Promise<boolean> {
  const states = await Promise.all([0, 1].map((shard) => queue.read(shard)));
  return states.every(({ free = {} }) =>
    Object.values(free as object).some((slots) => Number(slots) > concurrency),
  );
}

/** How many rounds a runner sends in a while of nothing to do. */
async function roundsMeanwhile(t: TestContext, sent: readonly unknown[]): Promise<number> {
  const before = sent.length;
  await sleep(WATCHED_MS);
  const count = sent.length - before;
  t.diagnostic(`${count} rounds in ${WATCHED_MS} ms`);
  return count;
}

test('a runner of one job at a time leaves those of four shards in line while it is busy, and serves all when it is not', async (t) => {
  const queue = testQueue(t, { shards: 4 });
  const broker = lossyBroker(queue);
  const one = await startRunner(queue, broker, 1);
  const shards = [0, 1, 2, 3];
  for (const shard of shards) await eventually('idle', () => isIdle(queue, shard));
  await addAll(queue, 0, namesOn(queue, 0, 1, 'long'));
  await eventually('the long one runs', () => one.started.length === 1);
  const waiting = shards.map((shard) => namesOn(queue, shard, 3, 'a'));
  for (const shard of shards) await addAll(queue, shard, waiting[shard]!);
  for (const shard of shards) {
    const all = at(waiting[shard]!);
    await eventually('in line', async () => (await lined(queue, shard)).length === all.length);
    assert.deepEqual(await lined(queue, shard), all);
  }
  const rounds = await roundsMeanwhile(t, broker.sent);
  assert.ok(rounds <= FEW, `${rounds} rounds`);

  const other = await startRunner(queue, queue.another(), 1);
  await eventually('the other ran all', () => other.started.length === 12);
  assert.deepEqual(other.started.toSorted(), at(waiting.flat()));
  await other.runner.stop();

  const later = shards.map((shard) => namesOn(queue, shard, 3, 'b'));
  for (const shard of shards) await addAll(queue, shard, later[shard]!);
  assert.equal(one.started.length, 1);
  one.release();
  await eventually('all ran', () => one.started.length === 13);
  assert.deepEqual(one.started.slice(1).toSorted(), at(later.flat()));
});

test('long jobs that fill a runner from one shard keep it from those of the other, and it serves both afterwards', async (t) => {
  const queue = testQueue(t, { shards: 2 });
  const broker = lossyBroker(queue);
  const one = await startRunner(queue, broker, 4);
  // It holds jobs ahead once those it ran were short, which on a busy machine takes it a while to see.
  let ran = 0;
  while (!(await holdsAhead(queue, 4))) {
    for (const shard of [0, 1]) {
      await addAll(queue, shard, namesOn(queue, shard, 100, `short${ran}-`));
      ran += 100;
    }
    await eventually('the short ones ran', () => one.started.length === ran);
    for (const shard of [0, 1]) await eventually('idle', () => isIdle(queue, shard));
  }
  await addAll(queue, 0, namesOn(queue, 0, 4, 'long'));
  await eventually('the long ones run', () => one.started.length === ran + 4);
  const waiting = [0, 1].map((shard) => namesOn(queue, shard, 10, 'a'));
  for (const shard of [0, 1]) await addAll(queue, shard, waiting[shard]!);
  for (const shard of [0, 1]) {
    const all = at(waiting[shard]!);
    await eventually('in line', async () => (await lined(queue, shard)).length === all.length);
    assert.deepEqual(await lined(queue, shard), all);
  }
  const rounds = await roundsMeanwhile(t, broker.sent);
  assert.ok(rounds <= FEW, `${rounds} rounds`);
  one.release();
  await eventually('all ran', () => one.started.length === ran + 24);
  assert.deepEqual(one.started.slice(ran + 4).toSorted(), at(waiting.flat()));
});

test('one of several long jobs that ends makes room for a job of the other shard', async (t) => {
  const queue = testQueue(t, { shards: 2 });
  const ends: (() => void)[] = [];
  const started: string[] = [];
  const runner = new Runner(queue.another(), {
    queues: ['main'],
    concurrency: 2,
    leaseMs: 60_000,
    run: ({ id }) => {
      started.push(short(id));
      return new Promise((resolve) => ends.push(() => resolve('1')));
    },
  });
  queue.atEnd(() => runner.stop());
  queue.atEnd(async () => ends.forEach((end) => end()));
  await runner.start();
  for (const shard of [0, 1]) await eventually('idle', () => isIdle(queue, shard));
  const [here, there] = [0, 1].map((shard) => namesOn(queue, shard, 1, 'a'));
  await addAll(queue, 0, here!);
  await addAll(queue, 1, there!);
  await eventually('both run', () => started.length === 2);
  const next = namesOn(queue, 1, 2, 'b');
  await addAll(queue, 1, next);
  ends[1]!();
  await eventually('the next runs', () => started.length === 3);
  ends[0]!();
  ends[2]!();
  await eventually('the last runs', () => started.length === 4);
  assert.deepEqual(started.toSorted(), at([...here!, ...there!, ...next]));
});
