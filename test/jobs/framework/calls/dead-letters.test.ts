import assert from 'node:assert/strict';
import { TASKS_OF_TESTS } from '../../../support/threads/test-tasks.ts';
import { after, before, test, type TestContext } from 'node:test';
import { revokeTasks } from '../../../../db/tasks/ends.ts';
import { startTask } from '../../../../db/tasks/attempts.ts';
import { acceptTask } from '../../../../db/tasks/accept.ts';
import type { AcceptRequest } from '../../../../db/tasks/request.ts';
import { findTask } from '../../../../db/tasks/rows.ts';
import {
  deadLetters,
  purgeDeadLetters,
  removeDeadLetters,
  requeueDeadLetters,
  type DeadLetterStores,
} from '../../../../jobs/framework/calls/dead-letters.ts';
import { Control, Inspector, Producer } from '../../../../jobs/queue/index.ts';
import { reconcile } from '../../../../scheduler/reconciler.ts';
import { Telemetry } from '../../../../base/telemetry/telemetry.ts';
import { createTestDatabase, type TestDatabase } from '../../../support/stores/postgres.ts';
import { testQueue, type TestQueue } from '../../../support/queue/scripts.ts';
import { step } from '../../../support/stores/rows.ts';
import { failTask, request, start, succeedTask } from '../../../support/tasks.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

const FAILURE = { code: 'LLM_UNAVAILABLE', message: 'The model is away.' } as const;
const WORKER = '00000000-0000-4000-8000-000000000001';

interface Place extends DeadLetterStores {
  queue: TestQueue;
  /** Accepts a durable task whose job becomes a dead letter at once. @returns its id. */
  bury(changes?: Partial<AcceptRequest>): Promise<string>;
}

async function open(t: TestContext): Promise<Place> {
  const queue = testQueue(t);
  const { broker } = queue;
  await broker.open();
  let seq = 0;
  return {
    queue,
    tasks: TASKS_OF_TESTS,
    inspector: new Inspector(broker),
    control: new Control(broker),
    db: () => database.pool,
    async bury(changes = {}) {
      const { id } = await acceptTask(database.pool, request({ name: 'test.fail', ...changes }));
      await broker.enqueue(0, [{ id, task: 'test.fail', queue: 'default', payload: '{}' }]);
      await broker.renew(0, WORKER, 60_000, ['default']);
      const round = { worker: WORKER, queues: ['default'] };
      const { claimed } = await step(broker, { ...round, seq: ++seq, free: 1 });
      assert.equal(claimed[0]?.id, id);
      await step(broker, { ...round, seq: ++seq, failed: [id, JSON.stringify(FAILURE)] });
      await broker.leave(0, WORKER);
      return id;
    },
  };
}

const stateOf = async ({ inspector }: Place, id: string) => (await inspector.status(id)).state;

test('a failed task runs again: its row is open before the queue has it, with nothing charged', async (t) => {
  const place = await open(t);
  const id = await place.bury();
  const claim = await start(database.pool, id);
  await failTask(database.pool, claim, FAILURE);
  const requeue = place.control.requeue.bind(place.control);
  place.control.requeue = async (ids) => {
    assert.equal((await findTask(database.pool, id))?.status, 'queued', 'the row comes first');
    return requeue(ids);
  };
  assert.deepEqual(await requeueDeadLetters(place, [id]), ['requeued']);
  assert.equal(await stateOf(place, id), 'pending');
  const row = await findTask(database.pool, id);
  assert.deepEqual(
    [row?.status, row?.attempts, row?.error_code, row?.error_message, row?.finished_at],
    ['queued', 0, null, null, null],
  );
  // The start that had failed can no longer end it, and the next one may run.
  await assert.rejects(failTask(database.pool, claim, FAILURE));
  assert.deepEqual((await startTask(database.pool, id, 0))?.attempts, 0);
});

test('one the reconciler has not looked at yet runs again, and is not taken for ended meanwhile', async (t) => {
  const place = await open(t);
  const id = await place.bury();
  await startTask(database.pool, id, 2);
  await database.pool.query('UPDATE ai.tasks SET check_at = now() WHERE id = $1', [id]);
  const requeue = place.control.requeue.bind(place.control);
  place.control.requeue = async (ids) => {
    const { inspector, queue } = place;
    const producer = new Producer(queue.broker);
    const telemetry = new Telemetry();
    await reconcile({ db: database.pool, inspector, producer, telemetry, leaseMs: 1000 });
    return requeue(ids);
  };
  assert.deepEqual(await requeueDeadLetters(place, [id]), ['requeued']);
  const row = await findTask(database.pool, id);
  assert.deepEqual([row?.status, row?.attempts], ['queued', 0]);
});

test('a reconciler that heard of the dead letter before the requeue does not close what runs again', async (t) => {
  const place = await open(t);
  const id = await place.bury();
  await database.pool.query('UPDATE ai.tasks SET check_at = now() WHERE id = $1', [id]);
  const statuses = place.inspector.statuses.bind(place.inspector);
  const slow = Object.assign(new Inspector(place.queue.broker), {
    async statuses(ids: readonly string[]) {
      const seen = await statuses(ids);
      assert.deepEqual(await requeueDeadLetters(place, [id]), ['requeued']);
      return seen;
    },
  });
  const producer = new Producer(place.queue.broker);
  const telemetry = new Telemetry();
  await reconcile({ db: database.pool, inspector: slow, producer, telemetry, leaseMs: 1000 });
  assert.equal((await findTask(database.pool, id))?.status, 'queued');
});

test('a round of the reconciler that fails does not look soon again at what got another life meanwhile', async (t) => {
  const place = await open(t);
  const id = await place.bury();
  await database.pool.query('UPDATE ai.tasks SET check_at = now() WHERE id = $1', [id]);
  const failing = Object.assign(new Inspector(place.queue.broker), {
    async statuses() {
      assert.deepEqual(await requeueDeadLetters(place, [id]), ['requeued']);
      throw new Error('Redis is away');
    },
  });
  const producer = new Producer(place.queue.broker);
  const telemetry = new Telemetry();
  const options = { db: database.pool, inspector: failing, producer, telemetry, leaseMs: 1000 };
  await assert.rejects(reconcile(options), /Redis is away/);
  const { rows } = await database.pool.query<{ isQuiet: boolean }>(
    `SELECT check_at > now() + interval '20 seconds' AS "isQuiet" FROM ai.tasks WHERE id = $1`,
    [id],
  );
  assert.deepEqual(rows, [{ isQuiet: true }]);
});

test('a revoked one is opened again, a finished one is left alone', async (t) => {
  const place = await open(t);
  const revoked = await place.bury();
  assert.deepEqual(await revokeTasks(database.pool, [revoked]), ['revoked']);
  assert.equal((await findTask(database.pool, revoked))?.error_code, 'TASK_REVOKED');
  const done = await place.bury();
  await succeedTask(database.pool, await start(database.pool, done), '"result"');
  assert.deepEqual(await requeueDeadLetters(place, [revoked, done]), ['requeued', 'requeued']);
  assert.equal((await findTask(database.pool, revoked))?.status, 'queued');
  assert.equal((await findTask(database.pool, done))?.status, 'done');
  assert.equal(await stateOf(place, done), 'pending');
});

test('one whose work was asked for again since stays a dead letter', async (t) => {
  const place = await open(t);
  const dedupeKey = 'fail:1';
  const old = await place.bury({ dedupeKey });
  await failTask(database.pool, await start(database.pool, old), FAILURE);
  await acceptTask(database.pool, request({ name: 'test.fail', dedupeKey }));
  assert.deepEqual(await requeueDeadLetters(place, [old]), ['newer']);
  assert.equal(await stateOf(place, old), 'failed');
  assert.equal((await findTask(database.pool, old))?.status, 'error');
});

test('what is no dead letter is left alone, its row too', async (t) => {
  const place = await open(t);
  const { id } = await acceptTask(database.pool, request({ name: 'test.fail' }));
  await failTask(database.pool, await start(database.pool, id), FAILURE);
  assert.deepEqual(await requeueDeadLetters(place, [id]), ['not_failed']);
  assert.equal((await findTask(database.pool, id))?.status, 'error');
});

test('a task that is not durable needs no Postgres', async (t) => {
  const place = await open(t);
  const id = await place.bury();
  const key = place.queue.broker.key(0, 'jobs');
  const record = await place.queue.redis.hget(key, id);
  await place.queue.redis.hset(key, id, record!.replace('test.fail', 'test.echo'));
  const db = () => assert.fail('Postgres was asked');
  assert.deepEqual(await requeueDeadLetters({ ...place, db }, [id]), ['requeued']);
});

test('a purge closes rows that are open, so that nothing is dispatched anew', async (t) => {
  const place = await open(t);
  const unfinished = await place.bury();
  const failed = await place.bury();
  await failTask(database.pool, await start(database.pool, failed), FAILURE);
  const seen: string[] = [];
  for await (const { id } of deadLetters(place.inspector)) seen.push(id);
  assert.deepEqual(seen.toSorted(), [unfinished, failed].toSorted());
  assert.equal(await purgeDeadLetters(place), 2);
  const row = await findTask(database.pool, unfinished);
  assert.deepEqual([row?.status, row?.error_code], ['error', 'LLM_UNAVAILABLE']);
  assert.equal(await stateOf(place, unfinished), 'unknown');
});

for (const moment of ['page', 'statuses'] as const) {
  test(`a purge does not close what got another life after it read the ${moment} of the queue`, async (t) => {
    const place = await open(t);
    const { inspector } = place;
    const id = await place.bury();
    const ask = {
      page: inspector.page.bind(inspector),
      statuses: inspector.statuses.bind(inspector),
    };
    const read = ask[moment] as (...args: unknown[]) => Promise<unknown>;
    const slow = Object.assign(new Inspector(place.queue.broker), ask, {
      async [moment](...args: unknown[]) {
        const seen = await read(...args);
        assert.deepEqual(await requeueDeadLetters(place, [id]), ['requeued']);
        return seen;
      },
    });
    assert.equal(await purgeDeadLetters({ ...place, inspector: slow }), 0);
    assert.equal((await findTask(database.pool, id))?.status, 'queued');
    assert.equal(await stateOf(place, id), 'pending');
  });
}

test('a dead letter is removed by id: its row ends first, others stay', async (t) => {
  const place = await open(t);
  const [one, other] = [await place.bury(), await place.bury()];
  const nobody = '00000000-0000-4000-8000-00000000000f';
  assert.deepEqual(await removeDeadLetters(place, [one, nobody]), [true, false]);
  assert.deepEqual([await stateOf(place, one), await stateOf(place, other)], ['unknown', 'failed']);
  const rows = await Promise.all([one, other].map((id) => findTask(database.pool, id)));
  assert.deepEqual(
    rows.map((row) => [row?.status, row?.error_code]),
    [
      ['error', 'LLM_UNAVAILABLE'],
      ['queued', null],
    ],
  );
});
