/**
 * What is told about transient tasks that have ended: their attempts, and their own words.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { viewOf } from '../../../jobs/framework/calls/result.ts';
import { Control, type JobState } from '../../../jobs/queue/index.ts';
import {
  NO_DATABASE,
  openWorker,
  stateOf,
  type WorkerBench,
} from '../../support/threads/worker.ts';

const open = (t: TestContext): Promise<WorkerBench> => openWorker(t, NO_DATABASE);

/** As the owner sees it. */
async function viewed(bench: WorkerBench, id: string, state: JobState) {
  const value = await stateOf(bench, id, state);
  const view = viewOf({
    row: { status: 'fulfilled', value: undefined },
    job: { status: 'fulfilled', value },
  });
  return { attempts: view!.attempts, code: view!.error_code, message: view!.error_message };
}

test('a success at the first attempt took one', async (t) => {
  const bench = await open(t);
  const id = await bench.add('echo', { word: 'hi' });
  assert.deepEqual(await viewed(bench, id, 'succeeded'), {
    attempts: 1,
    code: null,
    message: null,
  });
});

test('a failure after a retry took two, and an error nobody wrote for its owner stays with operators', async (t) => {
  const bench = await open(t);
  const id = await bench.add('hurry', {});
  assert.deepEqual(await viewed(bench, id, 'failed'), {
    attempts: 2,
    code: 'TASK_TIME_LIMIT',
    message: 'The task ran longer than its soft limit of 50 ms.',
  });
});

test('a revoke is told in the words of the catalogue, not in those for operators', async (t) => {
  const bench = await open(t);
  const id = await bench.add('obey', {});
  await bench.said(id, 'waiting');
  await new Control(bench.broker).revoke([id], 'for operators only');
  const view = await viewed(bench, id, 'revoked');
  assert.deepEqual([view.code, view.message], ['TASK_REVOKED', 'The task was revoked.']);
});

test('a death of the thread is told in the words of the catalogue, with its count for operators', async (t) => {
  const bench = await open(t);
  const id = await bench.add('die', { how: 'exit' });
  const view = await viewed(bench, id, 'failed');
  assert.deepEqual(
    [view.code, view.message],
    ['WORKER_DIED', 'The worker died while running the task.'],
  );
  assert.equal((await stateOf(bench, id, 'failed')).counts.deaths, 3);
});
