import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { packagePath } from '../../package-path.ts';
import {
  Inspector,
  Producer,
  QueueError,
  type JobRequest,
  type QueueOptions,
} from '../../jobs/queue/index.ts';
import { eventually } from '../support/consumers.ts';
import { HANG_MS, stretched } from '../support/patience.ts';
import { redisUrl, request, testQueue, uuid, type TestQueue } from '../support/queue.ts';
import type { ProducerOptions } from '../support/queue-producer.ts';
import { startWorker, workerLog, type WorkerProcess } from '../support/worker-processes.ts';
import { chance, report, sizesOf } from './experiment.ts';

const SIZES = sizesOf('queue-crash', {
  /** Jobs added at once. */
  flood: { ci: 60_000, full: 200_000 },
  /** Jobs added one by one. */
  trickle: { ci: 2000, full: 6000 },
  /** Workers killed meanwhile, each time. */
  kills: { ci: 6, full: 10 },
});
/** Jobs a worker holds at a time. */
const LIMIT = 20;
const LEASE_MS = stretched(500);

const { integer } = chance();

const keepAll: Partial<QueueOptions> = { keep: { count: 1_000_000 } };

/** Two workers, of which one is killed and replaced `kills` times at random moments while `work` goes on. */
async function underKills(
  t: TestContext,
  queue: TestQueue,
  kills: number,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const log = workerLog(t);
  const options = {
    url: redisUrl(),
    prefix: queue.prefix,
    limit: LIMIT,
    // Where nobody is killed, none may be taken for dead on a busy machine either.
    leaseMs: kills > 0 ? LEASE_MS : HANG_MS,
    workMs: 1,
    log: log.file,
  };
  const workers: WorkerProcess[] = [];
  for (let i = 0; i < 2; i++) workers.push(await startWorker(t, options));
  // What fails is thrown once no further worker is about to start.
  const working = Promise.allSettled([work()]);
  for (let kill = 0; kill < kills; kill++) {
    await sleep(50 + integer(250));
    const victim = workers.shift()!;
    victim.kill('SIGKILL');
    await victim.exited;
    workers.push(await startWorker(t, options));
  }
  const [worked] = await working;
  if (worked.status === 'rejected') throw worked.reason;
  await eventually('nothing waits and nothing runs', () => isIdle(queue));
  return log.lines().map((line) => line.split(' ')[0]!);
}

/** Adds a job; on a machine so busy that Redis misses a deadline, again, as that is safe. */
async function add(producer: Producer, job: JobRequest): Promise<void> {
  for (;;) {
    try {
      await producer.enqueue(job);
      return;
    } catch (error) {
      if (!(error instanceof QueueError) || error.code !== 'REDIS_UNAVAILABLE') throw error;
    }
  }
}

async function isIdle(queue: TestQueue): Promise<boolean> {
  const keys = await queue.redis.keys(`${queue.prefix}:*`);
  return !keys.some((key) => /:(wait|lease|inbox):|:delayed$/.test(key));
}

/** Every job ran by its own account, and Redis says so too. */
async function assertAllSucceeded(queue: TestQueue, names: string[], ran: string[]): Promise<void> {
  const started = new Set(ran);
  assert.deepEqual(
    names.filter((name) => !started.has(uuid(name))),
    [],
    'jobs that never ran',
  );
  const inspector = new Inspector(queue.broker);
  for (let from = 0; from < names.length; from += 500) {
    const states = await inspector.statuses(names.slice(from, from + 500).map(uuid));
    assert.deepEqual(
      states.filter(({ state }) => state !== 'succeeded'),
      [],
    );
  }
  const done = await queue.redis.lrange(queue.broker.key(0, 'done'), 0, -1);
  assert.equal(done.length, names.length, 'each ended once');
  assert.equal(new Set(done).size, names.length, 'each ended once');
  assert.equal(await queue.redis.exists(queue.broker.key(0, 'counts')), 0);
}

test('a flood of jobs survives killed workers: none lost, none stuck, each ends once', async (t) => {
  const { flood, kills } = SIZES;
  const queue = testQueue(t, keepAll);
  await queue.broker.open();
  const names = Array.from({ length: flood }, (_, i) => `f${i}`);
  const producer = new Producer(queue.broker);
  const ran = await underKills(t, queue, kills, () =>
    Promise.all(names.map((name) => add(producer, request(name)))),
  );
  await assertAllSucceeded(queue, names, ran);
  tell(t, 'at once', flood, ran.length - flood);
});

test('a trickle of jobs survives killed workers', async (t) => {
  const { trickle, kills } = SIZES;
  const queue = testQueue(t, keepAll);
  await queue.broker.open();
  const names = Array.from({ length: trickle }, (_, i) => `t${i}`);
  const producer = new Producer(queue.broker);
  const ran = await underKills(t, queue, kills, async () => {
    for (const name of names) {
      await add(producer, request(name, { delayMs: integer(4) === 0 ? 50 : 0 }));
      await sleep(1);
    }
  });
  await assertAllSucceeded(queue, names, ran);
  tell(t, 'one by one', trickle, ran.length - trickle);
});

/** What ran twice was in the hands of a killed worker: at most its limit for each. */
function tell(t: TestContext, how: string, jobs: number, again: number): void {
  const { kills } = SIZES;
  report(t, {
    figure: `${jobs} jobs added ${how} while ${kills} workers are killed`,
    result: `none lost, each ended once, ${again} ran again`,
    violations: again > kills * LIMIT ? [`${again} ran again`] : [],
  });
}

test('of a producer killed in the middle of a batch, sent again whole, no job is lost and none is doubled', async (t) => {
  const queue = testQueue(t, keepAll);
  await queue.broker.open();
  const names = Array.from({ length: 10_000 }, (_, i) => `k${i}`);
  const child = fork(packagePath('dist', 'test', 'support', 'queue-producer.js'), [
    JSON.stringify({ url: redisUrl(), prefix: queue.prefix, names } satisfies ProducerOptions),
  ]);
  const exited = once(child, 'exit');
  const added = async () => queue.redis.llen(queue.broker.key(0, 'wait:main:5'));
  await eventually('some were added', async () => (await added()) > 0);
  child.kill('SIGKILL');
  await exited;
  const already = await added();
  assert.ok(already < names.length, 'it was killed before the end');
  const producer = new Producer(queue.broker);
  const outcomes = await Promise.all(names.map((name) => producer.enqueue(request(name))));
  const line = await queue.redis.lrange(queue.broker.key(0, 'wait:main:5'), 0, -1);
  assert.deepEqual(line.toSorted(), names.map(uuid).toSorted(), 'each waits once');
  assert.equal(outcomes.filter((outcome) => outcome === 'exists').length, already);
  const ran = await underKills(t, queue, 0, async () => undefined);
  assert.deepEqual(ran.toSorted(), names.map(uuid).toSorted(), 'each ran once');
  await assertAllSucceeded(queue, names, ran);
  report(t, {
    figure: `a batch of ${names.length} jobs whose producer is killed, sent again whole`,
    result: `${already} were there already; each waited and ran once`,
    violations: [],
  });
});
