/**
 * Whatever a task throws, logs, reports or returns: its own attempt ends, no thread dies and no neighbour runs again.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { describeError } from '../../../base/telemetry/describe-error.ts';
import { plainCopy } from '../../../base/telemetry/plain-copy.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { Producer } from '../../../jobs/queue/index.ts';
import { request } from '../../support/tasks.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { useOddValues } from '../../support/threads/odd-jobs.ts';
import { MISBEHAVING, oddValue, type OddUse } from '../../support/threads/odd-values.ts';
import { NO_DATABASE, openWorker, type WorkerBench } from '../../support/threads/worker.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

async function endOf({ told }: WorkerBench, id: string): Promise<string> {
  const end = await told.first(
    (one) => (one.event === 'job.succeeded' || one.event === 'job.failed') && one.jobId === id,
  );
  return end.event;
}

test('what is thrown, logged, reported and returned: each job ends, and no thread', async (t) => {
  // A third of the values that misbehave, whose seeds are even.
  const seeds = MISBEHAVING.map((_, index) => 2 * index);
  await useOddValues(
    t,
    seeds.filter((_, index) => index % 3 === 0),
  );
});

test('a durable task that throws them, in a transaction too, is recorded as failed', async (t) => {
  const bench = await openWorker(t, database.url, { workerConcurrency: 16 });
  const producer = new Producer(bench.broker);
  const add = async (seed: number, use: OddUse) => {
    const row = request({ name: 'test.odd-durable', payload: JSON.stringify({ seed, use }) });
    await acceptTask(database.pool, row);
    await producer.enqueue({ ...row, task: row.name });
    return row.id;
  };
  for (const use of ['throw', 'step'] as const) {
    const seeds = MISBEHAVING.map((_, index) => index * 2);
    const ids = await Promise.all(seeds.map((seed) => add(seed, use)));
    for (const [index, id] of ids.entries()) {
      assert.equal(await endOf(bench, id), 'job.failed', `value ${index * 2}`);
    }
    const { rows } = await database.pool.query(
      'SELECT DISTINCT status, attempts FROM ai.tasks WHERE id = ANY($1)',
      [ids],
    );
    assert.deepEqual(rows, [{ status: 'error', attempts: 1 }]);
  }
  assert.ok(bench.told.seen.every(({ event }) => event !== 'thread.died'));
});

test('what escapes a job ends its thread and never the process', async (t) => {
  const bench = await openWorker(t, NO_DATABASE);
  // Without a prototype, revoked, hostile.
  for (const seed of [24, 32, 40]) {
    await bench.jobEvent(await bench.add('odd-escape', { seed }), 'job.failed');
  }
  const id = await bench.add('echo', { word: 'alive' });
  await bench.jobEvent(id, 'job.succeeded');
});

test('a description is JSON of bounded size and hides the password of a URL that is cut', () => {
  for (let seed = 0; seed < 2 * MISBEHAVING.length; seed++) {
    for (const made of [describeError(oddValue(seed)), plainCopy(oddValue(seed), 8192)]) {
      const text = JSON.stringify(made) ?? 'undefined';
      assert.ok(text.length < 60_000, `value ${seed}: ${text.length}`);
    }
  }
  const cut = JSON.stringify(
    describeError(new Error(`at https://user:canary${'x'.repeat(9000)}@host`)),
  );
  assert.doesNotMatch(cut, /canary/);
});

test('a copy has what was logged, as JSON has it', () => {
  const value = { text: 'a', list: [1, null, { deep: true }], at: new Date(0), gone: undefined };
  assert.deepEqual(plainCopy(value, 8192), {
    text: 'a',
    list: [1, null, { deep: true }],
    at: '1970-01-01T00:00:00.000Z',
  });
  const error = plainCopy({ error: new Error('told') }, 8192) as { error: { message: string } };
  assert.equal(error.error.message, 'told');
});
