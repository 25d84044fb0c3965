import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { Producer } from '../../../jobs/queue/index.ts';
import type { Events } from '../../../base/telemetry/telemetry.ts';
import { Stop } from '../../../workers/thread/stop.ts';
import { stretched } from '../../support/patience.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { OVERRUN_MS } from '../../support/threads/odd-tasks.ts';
import { request } from '../../support/tasks.ts';
import {
  NO_DATABASE,
  openWorker,
  stateOf,
  type WorkerBench,
} from '../../support/threads/worker.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

async function addDurable(bench: WorkerBench, name: string, payload: object): Promise<string> {
  const row = request({ name, payload: JSON.stringify(payload) });
  await acceptTask(database.pool, row);
  await new Producer(bench.broker).enqueue({ ...row, task: row.name });
  return row.id;
}

test('the hard limit ends every kind of task, whether it waits or blocks its thread', async (t) => {
  const bench = await openWorker(t, database.url);
  for (const block of [false, true]) {
    for (const add of [
      () => bench.add('overrun', { block }),
      () => bench.add('overrun-isolated', { block }),
      () => addDurable(bench, 'test.overrun-durable', { block }),
    ]) {
      const id = await add();
      const failed = (await bench.jobEvent(id, 'job.failed')) as Events['job.failed'];
      assert.deepEqual(
        [failed.code, failed.attempt, failed.reason],
        ['TASK_TIME_LIMIT', 1, `The task ran longer than ${OVERRUN_MS} ms.`],
      );
    }
  }
});

test('a job that moves its limits later has the time it asked for, and is told when that is over', async (t) => {
  const bench = await openWorker(t, NO_DATABASE);
  const inTime = [
    await bench.add('prolong', { extendMs: stretched(20_000), ms: stretched(1500) }),
    await bench.add('stretch', { extendMs: stretched(20_000), ms: stretched(1500) }),
  ];
  const softId = await bench.add('prolong', { extendMs: 100, ms: 60_000 });
  for (const id of inTime) {
    await bench.jobEvent(id, 'job.succeeded');
    assert.equal((await stateOf(bench, id, 'succeeded')).result, '"in time"');
  }
  const softly = (await bench.jobEvent(softId, 'job.failed')) as Events['job.failed'];
  assert.equal(
    softly.reason,
    `The task ran longer than its soft limit of ${stretched(500) + 100} ms.`,
  );
  const hard = await bench.add('stretch', { extendMs: 100, ms: 60_000 });
  const ended = (await bench.jobEvent(hard, 'job.failed')) as Events['job.failed'];
  assert.equal(ended.reason, `The task ran longer than ${stretched(1000) + 100} ms.`);
});

test('a limit is moved by a whole number of milliseconds, 1 or more, and by nothing else', async (t) => {
  const bench = await openWorker(t, NO_DATABASE);
  for (const extendMs of [0, -5, 1.5, '100', null]) {
    const id = await bench.add('prolong', { extendMs, ms: 0 });
    await bench.jobEvent(id, 'job.succeeded');
    assert.equal(
      JSON.parse((await stateOf(bench, id, 'succeeded')).result ?? ''),
      'RangeError: ctx.extendLimit takes a whole number of milliseconds, 1 or more.',
    );
  }
});

test('a soft limit of more than 24 days does not end at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stop = new Stop();
  stop.start(2 ** 31);
  t.mock.timers.tick(1000);
  assert.equal(stop.reason, undefined);
  stop.extend(2 ** 31);
  assert.equal(stop.softLimitMs, 2 ** 32);
  stop.end();
});
