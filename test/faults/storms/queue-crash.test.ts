/**
 * Workers of the queue alone are killed at random moments, over and over: while a flood of jobs comes, and while a few do.
 */
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Inspector,
  Producer,
  QueueError,
  type JobRequest,
  type QueueOptions,
} from '../../../jobs/queue/index.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { stretched } from '../../support/patience.ts';
import { redisUrl, request, testQueue, uuid, type TestQueue } from '../../support/queue/scripts.ts';
import {
  startWorker,
  workerLog,
  type WorkerProcess,
} from '../../support/threads/worker-processes.ts';
import { chance, report, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('queue-crash', {
  /** Jobs that come all at once. */
  flood: { ci: 20_000, full: 200_000 },
  /** Jobs that come one by one. */
  trickle: { ci: 1000, full: 6000 },
  /** Workers killed during each of the two. */
  workers: { ci: 5, full: 20 },
});
const LEASE_MS = stretched(500);
/** Jobs a worker holds at most. */
const LIMIT = 20;

const { integer } = chance();
const keepAll: Partial<QueueOptions> = { keep: { count: 1_000_000 } };

interface Run {
  /** Ids of the jobs that were started, in order; one that ran twice is there twice. */
  ran: string[];
  /** How many were taken from workers that lived, as their heartbeats were late. */
  lost: number;
}

/** Two workers, of which one is killed and replaced at random moments while `work` goes on. */
async function underKills(
  t: TestContext,
  queue: TestQueue,
  work: () => Promise<unknown>,
): Promise<Run> {
  const log = workerLog(t);
  const { prefix } = queue;
  const url = redisUrl();
  const options = { url, prefix, limit: LIMIT, leaseMs: LEASE_MS, workMs: 1, log: log.file };
  const all: WorkerProcess[] = [];
  const start = async (): Promise<WorkerProcess> => {
    const worker = await startWorker(t, options);
    all.push(worker);
    return worker;
  };
  const living = [await start(), await start()];
  // What fails is thrown once no further worker is about to start.
  const working = Promise.allSettled([work()]);
  for (let kill = 0; kill < SIZES.workers; kill++) {
    // The moment of a kill is chance; nothing is waited for.
    await sleep(50 + integer(250));
    const victim = living.shift()!;
    victim.kill('SIGKILL');
    await victim.exited;
    living.push(await start());
  }
  const [worked] = await working;
  if (worked.status === 'rejected') throw worked.reason;
  await eventually('nothing waits and nothing runs', () => isIdle(queue));
  return {
    ran: log.lines().map((line) => line.split(' ')[0]!),
    lost: all.reduce((sum, worker) => sum + worker.lost.length, 0),
  };
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
async function violationsOf(
  queue: TestQueue,
  names: readonly string[],
  { ran, lost }: Run,
): Promise<string[]> {
  const violations: string[] = [];
  const started = new Set(ran);
  const never = names.filter((name) => !started.has(uuid(name)));
  if (never.length > 0) violations.push(`${never.length} jobs never ran`);
  const inspector = new Inspector(queue.broker);
  for (let from = 0; from < names.length; from += 500) {
    for (const { id, state } of await inspector.statuses(names.slice(from, from + 500).map(uuid)))
      if (state !== 'succeeded') violations.push(`${id} is ${state}`);
  }
  const done = await queue.redis.lrange(queue.broker.key(0, 'done'), 0, -1);
  if (done.length !== names.length || new Set(done).size !== names.length)
    violations.push(`${done.length} ends of ${new Set(done).size} jobs`);
  if ((await queue.redis.exists(queue.broker.key(0, 'counts'))) !== 0)
    violations.push('something is left of what was charged');
  // What ran twice was in the hands of a killed worker, or was taken from one that lived.
  const again = ran.length - names.length;
  if (again > SIZES.workers * LIMIT + lost) violations.push(`${again} ran again`);
  return violations;
}

test('a flood of jobs survives killed workers: none lost, none stuck, each ends once', async (t) => {
  const queue = testQueue(t, keepAll);
  await queue.broker.open();
  const names = Array.from({ length: SIZES.flood }, (_, i) => `f${i}`);
  const producer = new Producer(queue.broker);
  const run = await underKills(t, queue, () =>
    Promise.all(names.map((name) => add(producer, request(name)))),
  );
  report(t, {
    figure: `a flood of ${SIZES.flood} jobs, ${SIZES.workers} workers of the queue killed`,
    result: `each ended once; ${run.ran.length - SIZES.flood} ran again`,
    violations: await violationsOf(queue, names, run),
  });
});

test('a trickle of jobs, some delayed, survives killed workers', async (t) => {
  const queue = testQueue(t, keepAll);
  await queue.broker.open();
  const names = Array.from({ length: SIZES.trickle }, (_, i) => `t${i}`);
  const producer = new Producer(queue.broker);
  const run = await underKills(t, queue, async () => {
    for (const name of names) {
      await add(producer, request(name, { delayMs: integer(4) === 0 ? 50 : 0 }));
      // A trickle is slow by itself.
      await sleep(1);
    }
  });
  report(t, {
    figure: `a trickle of ${SIZES.trickle} jobs, ${SIZES.workers} workers of the queue killed`,
    result: `each ended once; ${run.ran.length - SIZES.trickle} ran again`,
    violations: await violationsOf(queue, names, run),
  });
});
