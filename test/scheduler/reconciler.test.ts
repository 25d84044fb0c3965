/**
 * What brings back what the queue never got or has lost, and what tells Postgres how jobs ended.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { startTask } from '../../db/tasks/attempts.ts';
import { acceptTask } from '../../db/tasks/accept.ts';
import { findTask } from '../../db/tasks/rows.ts';
import { ERRORS } from '../../base/errors.ts';
import { Broker, Inspector, Producer } from '../../jobs/queue/index.ts';
import { createReconciler, reconcile } from '../../scheduler/reconciler.ts';
import { request, succeedTask } from '../support/tasks.ts';
import {
  accept,
  broker,
  checkIn,
  consume,
  database,
  events,
  fail,
  makeDue,
  options,
  optionsOf,
  redis,
  roundOfAll,
  stateOf,
  take,
  withoutRedis,
} from './reconciler-fixture.ts';

test('a row that was never dispatched is dispatched once it is due, as it was accepted', async () => {
  const headers = { who: 'me' };
  const asked = { payload: '{"n": 1.50}', priority: 8, headers, expiresMs: 90_000 };
  const { id } = await accept(asked);
  await reconcile(options);
  assert.equal(await stateOf(id), 'unknown', 'its own dispatch gets 2 s');

  await roundOfAll();
  const job = await take(id);
  assert.deepEqual(
    [job.id, job.task, job.queue, job.priority, job.payload],
    [id, 'greet', 'default', 8, '{"n": 1.50}'],
  );
  assert.deepEqual(job.headers, headers);
  const leftMs = job.expiresAtMs! - Date.now();
  assert.ok(leftMs > 30_000 && leftMs <= 90_000, `${leftMs} ms`);
});

test('what the queue has is left alone, and looked at again after two leases', async () => {
  const { id } = await accept();
  await roundOfAll();
  await roundOfAll();
  assert.equal(await new Inspector(broker).waiting('default'), 1);
  assert.equal(events.seen.filter((event) => event === 'reconciler.dispatched').length, 1);
  const seconds = await checkIn(id);
  assert.ok(seconds > 60 && seconds <= 120, `${seconds} s`);
});

test('after Redis lost everything, every unfinished task comes back and no finished one', async () => {
  const rows = await Promise.all(Array.from({ length: 20 }, () => accept()));
  await roundOfAll();
  const done = rows[0]!.id;
  const started = await startTask(database.pool, done, 0);
  await succeedTask(database.pool, { id: done, epoch: started!.epoch }, 'null');
  await redis.flush();
  await roundOfAll();
  const states = await new Inspector(broker).statuses(rows.map(({ id }) => id));
  const counts = states.map(({ state }) => state);
  assert.deepEqual(counts, ['unknown', ...Array.from({ length: 19 }, () => 'pending')]);
});

test('two at once dispatch every task once', async () => {
  const rows = await Promise.all(Array.from({ length: 300 }, () => accept()));
  await makeDue();
  const other = new Broker({ url: redis.url, prefix: redis.prefix });
  try {
    await Promise.all([reconcile(options), reconcile(optionsOf(other))]);
  } finally {
    other.close();
  }
  assert.equal(await new Inspector(broker).waiting('default'), rows.length);
});

test('without Redis the round fails, and the checks are due again soon', async (t) => {
  const { id } = await accept();
  await makeDue();
  await assert.rejects(reconcile(await withoutRedis(t)), { code: 'REDIS_UNAVAILABLE' });
  assert.ok((await checkIn(id)) <= 1);
});

test('the loop goes on through a Redis that is away, and stops while it is', async (t) => {
  const { id } = await accept();
  await makeDue();
  const blind = createReconciler(await withoutRedis(t));
  await blind.start();
  await events.first((event) => event === 'loop.failed');
  await blind.stop();

  const seeing = createReconciler(options);
  await seeing.start();
  await events.first((event) => event === 'reconciler.dispatched');
  await seeing.stop();
  assert.equal(await stateOf(id), 'pending');
});

test('the end of a dead letter is written down, in the words of the catalogue', async () => {
  const { id } = await accept();
  await roundOfAll();
  await fail(id, { code: 'WORKER_DIED', message: 'canary' });
  await roundOfAll();
  const row = (await findTask(database.pool, id))!;
  assert.deepEqual(
    [row.status, row.error_code, row.error_message],
    ['error', 'WORKER_DIED', ERRORS.WORKER_DIED.message],
  );
  assert.ok(row.finished_at instanceof Date);
});

test('a job that expired in the queue is revoked', async () => {
  const { id, name } = await accept();
  const job = { id, task: name, queue: 'default', payload: '{}', expiresInMs: 0 };
  await new Producer(broker).enqueue(job);
  const consumer = await consume(() => assert.fail('it was delivered'));
  while ((await stateOf(id)) !== 'revoked') await consumer.drain();
  await consumer.stop();
  await roundOfAll();
  const row = (await findTask(database.pool, id))!;
  assert.deepEqual([row.status, row.error_code], ['revoked', 'TASK_EXPIRED']);
});

test('a task that may not run yet is dispatched with the delay that is left', async () => {
  const { id } = await accept();
  await database.pool.query(
    `UPDATE ai.tasks SET check_at = now(), run_at = now() + interval '400 milliseconds' WHERE id = $1`,
    [id],
  );
  const dispatchedMs = performance.now();
  await reconcile(options);
  assert.equal(await stateOf(id), 'scheduled');
  await take(id);
  const waitedMs = performance.now() - dispatchedMs;
  assert.ok(waitedMs > 300, `${waitedMs} ms`);
});

test('one task the queue refuses holds up no other', async () => {
  const refused = await accept({ queue: 'not a name' });
  const dead = await accept();
  const job = { id: dead.id, task: dead.name, queue: 'default', payload: '{}' };
  await new Producer(broker).enqueue(job);
  await fail(dead.id, { code: 'TASK_FAILED' });
  const fine = await accept();
  await makeDue();
  await reconcile(options);
  assert.equal(await stateOf(fine.id), 'pending');
  assert.equal((await findTask(database.pool, dead.id))?.status, 'error');
  assert.equal((await findTask(database.pool, refused.id))?.error_code, 'TASK_UNDISPATCHABLE');
});

test('a full page asks for the next round at once', async () => {
  await database.pool.query(
    `INSERT INTO ai.tasks (id, name, queue, priority, payload, check_at)
     SELECT gen_random_uuid(), 'greet', 'default', 5, '{}', now() FROM generate_series(1, 501)`,
  );
  assert.equal(await reconcile(options), 0);
  assert.ok((await reconcile(options)) > 0);
  assert.equal(await new Inspector(broker).waiting('default'), 501);
});

test('a task that was to be done once more is dispatched when the one before it has ended', async () => {
  const dedupeKey = `key:${randomUUID()}`;
  const { id } = await accept({ dedupeKey });
  const started = await startTask(database.pool, id, 0);
  const again = await acceptTask(database.pool, request({ dedupeKey, trailing: true }));
  await reconcile(options);
  assert.equal(await stateOf(again.id), 'unknown');
  await succeedTask(database.pool, { id, epoch: started!.epoch }, 'null');
  await reconcile(options);
  assert.equal(await stateOf(again.id), 'pending');
});
