/** Drain mode: everything in the queue runs in this process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { Enqueuer } from '../../../jobs/framework/calls/enqueue.ts';
import { defineTask, type Task } from '../../../jobs/framework/define.ts';
import { Reject } from '../../../jobs/framework/errors.ts';
import type { Signature } from '../../../jobs/framework/signature.ts';
import { Tasks } from '../../../jobs/framework/tasks.ts';
import { Broker } from '../../../jobs/queue/index.ts';
import { drain } from '../../../workers/testing/drain.ts';
import { testClient } from '../../support/client.ts';

const world = testClient();
const about = { payload: Type.Object({ n: Type.Integer() }), result: Type.Integer() };

const leaf = defineTask({
  ...about,
  name: 'test.leaf',
  durable: false,
  queue: 'leaves',
  run: async ({ n }) => n,
});

const branch = defineTask({
  ...about,
  name: 'test.branch',
  maxRetries: 1,
  backoff: { delayMs: 3_600_000, jitter: 'none' },
  async run({ n }, ctx) {
    await ctx.enqueue(leaf.s({ n }));
    await ctx.transaction('later', (tx) => tx.enqueue(fall.s({ n }, { countdownMs: 3_600_000 })));
    if (ctx.job.attempt === 1) throw new Error('once more');
    return n;
  },
});

const fall = defineTask({
  ...about,
  name: 'test.fall',
  run: async () => {
    throw new Reject('PRACTICE_NOT_FOUND', 'gone');
  },
});

const twig = defineTask({ ...about, name: 'test.twig', run: async ({ n }) => n });

const trunk = defineTask({
  ...about,
  name: 'test.trunk',
  async run({ n }, ctx) {
    await ctx.transaction('twig', (tx) => tx.enqueue(twig.s({ n })));
    return n;
  },
});

let begun = 0;
const endless: Task = defineTask({
  ...about,
  name: 'test.endless',
  durable: false,
  async run({ n }, ctx) {
    begun++;
    await ctx.enqueue(endless.s({ n: n + 1 }));
    return n;
  },
});

const tasks = new Tasks<Task>([leaf, branch, fall, twig, trunk, endless]);

async function put(signature: Signature): Promise<string> {
  const { broker, database } = world;
  const deferred = (_: string, error: unknown) => assert.fail(String(error));
  const enqueuer = new Enqueuer({ db: database.pool, broker, tasks, queues: [], deferred });
  const [accepted] = await enqueuer.enqueue([signature]);
  await enqueuer.idle();
  return accepted!.id;
}

const drainAll = (broker = world.broker) =>
  drain({ tasks, resources: {}, db: world.database.pool, broker });

/** Its new jobs reach Redis after everything else that was sent meanwhile. */
class SlowBroker extends Broker {
  override async enqueueRecords(...call: Parameters<Broker['enqueueRecords']>) {
    await sleep(100);
    return super.enqueueRecords(...call);
  }
}

test('drain runs what is queued, what that enqueues, retries and delayed tasks, until none is left', async () => {
  const id = await put(branch.s({ n: 1 }));
  const drained = await drainAll();
  assert.deepEqual(drained.map(({ task, end }) => `${task} ${end.kind}`).toSorted(), [
    'test.branch retry',
    'test.branch succeeded',
    'test.fall failed',
    'test.leaf succeeded',
  ]);
  assert.equal(drained[0]!.id, id);
  const { delayed, queues, workers, failed } = await world.inspector.overview();
  assert.deepEqual([delayed, workers, failed], [0, [], 1]);
  assert.ok(queues.every(({ waiting }) => waiting.every((count) => count === 0)));
  const { rows } = await world.database.pool.query('SELECT name, status FROM ai.tasks ORDER BY 1');
  assert.deepEqual(rows, [
    { name: 'test.branch', status: 'done' },
    { name: 'test.fall', status: 'error' },
  ]);
  assert.deepEqual(await drainAll(), [], 'the queue is empty');
});

test('drain waits for calls that are on their way to the queue', async (t) => {
  const broker = new SlowBroker({ ...world.broker.options });
  t.after(() => broker.close());
  await put(trunk.s({ n: 1 }));
  const drained = await drainAll(broker);
  assert.deepEqual(
    drained.map(({ task }) => task),
    ['test.trunk', 'test.twig'],
  );
});

test('drain gives up on tasks that enqueue themselves for ever, and leaves the queue whole', async () => {
  await put(endless.s({ n: 0 }));
  await assert.rejects(drainAll(), /not empty after 1000 attempts/);
  const { workers, queues } = await world.inspector.overview();
  const waiting = queues.flatMap((queue) => queue.waiting).reduce((sum, count) => sum + count, 0);
  assert.deepEqual([begun, workers, waiting], [1000, [], 1]);
});
