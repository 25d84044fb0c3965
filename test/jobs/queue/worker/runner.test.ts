import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import {
  Inspector,
  Runner,
  type Broker,
  type RunnerOptions,
} from '../../../../jobs/queue/index.ts';
import { eventually } from '../../../support/queue/consumers.ts';
import { lossyBroker } from '../../../support/queue/lossy-broker.ts';
import { request, short, testQueue, uuid, type TestQueue } from '../../../support/queue/scripts.ts';

const names = (count: number, prefix = 'j') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

interface TestRunner {
  runner: Runner;
  /** Names of the jobs started, in order. */
  started: string[];
}

async function startRunner(
  queue: TestQueue,
  options: Partial<RunnerOptions> & { work?: (name: string) => Promise<string> | string } = {},
  broker: Broker = queue.another(),
): Promise<TestRunner> {
  const { work = () => '1', ...rest } = options;
  const started: string[] = [];
  const runner = new Runner(broker, {
    queues: ['main'],
    // So long that no heartbeat helps out while a test runs.
    leaseMs: 3_600_000,
    run: ({ id }) => {
      const name = short(id);
      started.push(name);
      return work(name);
    },
    ...rest,
  });
  queue.atEnd(() => runner.stop());
  await runner.start();
  return { runner, started };
}

const stateOf = async (queue: TestQueue, name: string) =>
  new Inspector(queue.broker).status(uuid(name));

const addAll = (queue: TestQueue, some: readonly string[]) =>
  queue.broker.enqueue(
    0,
    some.map((name) => request(name)),
  );

/**
 * A runner that has seen so many short jobs that it holds some ahead, with a job that lasts until it is released and twenty
 * behind it.
 * @param whenLong called in the turn in which the long one begins: nothing held ahead has been given back yet.
 */
async function shortThenLong(queue: TestQueue, whenLong: (runner: Runner) => void = () => {}) {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const broker = lossyBroker(queue);
  const work = async (name: string): Promise<string> => {
    if (name !== '@long') return '1';
    whenLong(one.runner);
    await released;
    return '1';
  };
  const one = await startRunner(queue, { concurrency: 1, work }, broker);
  queue.atEnd(async () => release());
  // On a busy machine some short ones take long: then more are needed.
  const offers = async () => Object.values((await queue.read())['free'] ?? {}).map(Number);
  for (let turn = 0; Math.max(0, ...(await offers())) <= 1; turn++) {
    await addAll(queue, names(64, `short${turn}x`));
    await eventually('the short ones ran', () => one.started.length === 64 * (turn + 1));
    await eventually('it is idle', async () => (await offers()).length > 0);
  }
  await addAll(queue, ['long', ...names(20, 'ahead')]);
  await eventually('the long one runs', () => one.started.includes('@long'));
  return {
    release,
    /** Names of the jobs started that were not short. */
    ran: () => one.started.filter((name) => !name.startsWith('@short')),
    /** How many jobs it gave back so far. */
    givenBack: () => broker.sent.reduce((sum, { back }) => sum + back.length / 3, 0),
  };
}

test('a result is what the handler returned, to the letter', async (t) => {
  const queue = testQueue(t);
  await startRunner(queue, { work: async (name) => `{"of": "${name}", "n": 9007199254740993}` });
  await addAll(queue, ['a']);
  await eventually('it ended', async () => (await stateOf(queue, 'a')).state === 'succeeded');
  const { result } = await stateOf(queue, 'a');
  assert.equal(result, '{"of": "@a", "n": 9007199254740993}');
});

test('a handler that fails is tried again after the delays asked for, then becomes a dead letter', async (t) => {
  const queue = testQueue(t);
  const atMs: number[] = [];
  const asked: number[] = [];
  await startRunner(queue, {
    work: () => {
      atMs.push(performance.now());
      throw new Error('the third is the last');
    },
    retry: (error, attempts) => {
      assert.ok(error instanceof Error);
      asked.push(attempts);
      return attempts < 3 ? 100 * attempts : undefined;
    },
  });
  await addAll(queue, ['a']);
  await eventually('it failed', async () => (await stateOf(queue, 'a')).state === 'failed');
  assert.deepEqual(asked, [1, 2, 3]);
  const [first = 0, second = 0] = atMs.slice(1).map((ms, i) => ms - atMs[i]!);
  assert.ok(first >= 95, `${first} ms`);
  assert.ok(second >= 195, `${second} ms`);
  const { reason, job, counts } = await stateOf(queue, 'a');
  assert.deepEqual(reason, { code: 'HANDLER_FAILED', message: 'the third is the last' });
  assert.equal(job?.payload, '{"of":"a"}');
  assert.equal(counts.attempts, 3, 'a dead letter tells what it took');
});

test('a handler that throws no error at all is a dead letter with what it threw', async (t) => {
  const queue = testQueue(t);
  await startRunner(queue, { work: () => Promise.reject<string>('no "error"') });
  await addAll(queue, ['a']);
  await eventually('it failed', async () => (await stateOf(queue, 'a')).state === 'failed');
  assert.deepEqual((await stateOf(queue, 'a')).reason, {
    code: 'HANDLER_FAILED',
    message: 'no "error"',
  });
});

test('never more handlers run than the concurrency, and all jobs run', async (t) => {
  const queue = testQueue(t);
  let running = 0;
  let most = 0;
  const { started } = await startRunner(queue, {
    concurrency: 3,
    work: async () => {
      most = Math.max(most, ++running);
      await sleep(1);
      running--;
      return '1';
    },
  });
  await addAll(queue, names(200));
  await eventually('all ran', () => started.length === 200);
  assert.equal(most, 3);
  assert.equal(new Set(started).size, 200);
});

test('nothing is held ahead while jobs are long', async (t) => {
  const queue = testQueue(t);
  const { started } = await startRunner(queue, {
    concurrency: 2,
    work: async () => {
      await sleep(8);
      return '1';
    },
  });
  await addAll(queue, names(60));
  let most = 0;
  await eventually('forty ran', async () => {
    for (const key of await queue.redis.keys(queue.broker.key(0, 'lease:*')))
      most = Math.max(most, await queue.redis.scard(key));
    return started.length >= 40;
  });
  assert.ok(most <= 2, `${most} held`);
});

test('what is held ahead of a long job goes back while that runs, uncharged, and another runner takes it', async (t) => {
  const queue = testQueue(t);
  const { ran, release, givenBack } = await shortThenLong(queue);
  const other = await startRunner(queue, { concurrency: 1 });
  await eventually('the other ran them', () => other.started.length === 20);
  assert.ok(givenBack() > 1, 'some were held ahead');
  assert.deepEqual(
    other.started.toSorted(),
    names(20, 'ahead')
      .map((name) => `@${name}`)
      .toSorted(),
  );
  assert.equal('counts' in (await queue.read()), false);
  release();
  await eventually(
    'the long one ended',
    async () => (await stateOf(queue, 'long')).state === 'succeeded',
  );
  assert.deepEqual(ran(), ['@long']);
});

test('a stop gives back what was held ahead, uncharged and in order, and waits for what runs', async (t) => {
  const queue = testQueue(t);
  let stopped = false;
  let stop: Promise<unknown> | undefined;
  const { ran, release, givenBack } = await shortThenLong(queue, (runner) => {
    stop = runner.stop().then(() => (stopped = true));
  });
  await eventually('the line is whole', async () => {
    const state = await queue.read();
    return (state['wait:main:5'] as string[] | undefined)?.length === 20;
  });
  assert.equal(stopped, false);
  assert.ok(givenBack() > 1, 'some were held ahead');
  release();
  await stop;
  const state = await queue.read();
  assert.deepEqual(
    state['wait:main:5'],
    names(20, 'ahead').map((name) => `@${name}`),
  );
  const owned = Object.keys(state).filter((key) =>
    /^(lease|inbox|replies|idle|free|workers|counts)/.test(key),
  );
  assert.deepEqual(owned, []);
  assert.equal((await stateOf(queue, 'long')).state, 'succeeded');
  assert.deepEqual(ran(), ['@long']);
});

test('a retry policy that throws is none: the job is a dead letter, and its slot is free again', async (t) => {
  const queue = testQueue(t);
  const failures: unknown[] = [];
  await startRunner(queue, {
    concurrency: 1,
    work: async (name) => {
      if (name === '@bad') throw new Error('failed');
      return '1';
    },
    retry: () => {
      throw new Error('the policy failed');
    },
    failed: (error) => void failures.push(error),
  });
  await addAll(queue, ['bad', 'good']);
  await eventually('both ended', async () => (await stateOf(queue, 'good')).state === 'succeeded');
  const bad = await stateOf(queue, 'bad');
  assert.deepEqual([bad.state, bad.reason?.message], ['failed', 'failed']);
  assert.match(String(failures[0]), /the policy failed/);
});
