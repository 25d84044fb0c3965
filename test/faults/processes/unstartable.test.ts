/**
 * Threads that cannot be started for a while: what waits for them runs once they can, once, and is charged nothing.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Events } from '../../../base/telemetry/telemetry.ts';
import { stretched } from '../../support/patience.ts';
import { NO_DATABASE, openWorker, stateOf } from '../../support/threads/worker.ts';

const THREADS = new URL('../../support/threads/unstartable-thread.js', import.meta.url);

async function open(t: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'unstartable-'));
  const file = (process.env['UNSTARTABLE_WHILE'] = path.join(folder, 'is-so'));
  t.after(() => rm(folder, { recursive: true }));
  const fails = (isSo: boolean) => (isSo ? writeFileSync(file, '') : rmSync(file));
  return { fails, open: () => openWorker(t, NO_DATABASE, { leaseMs: stretched(20_000) }, THREADS) };
}

test('a job whose thread cannot be started is charged nothing, and runs once when it can', async (t) => {
  const { fails, open: start } = await open(t);
  fails(true);
  const bench = await start();
  const [first, alone] = [
    await bench.add('where', { ms: 500 }),
    await bench.add('hermit', { ms: 0 }),
  ];
  const released = (await bench.jobEvent(first, 'job.released')) as Events['job.released'];
  assert.match(released.reason, /while it did not run: too many open files/);
  await bench.jobEvent(alone, 'job.released');
  for (const id of [first, alone]) {
    const { counts } = await bench.inspector.status(id);
    assert.deepEqual(counts, { attempts: 0, deaths: 0, mark: '' });
  }
  fails(false);
  for (const id of [first, alone]) {
    await bench.jobEvent(id, 'job.succeeded');
    const begun = bench.told.seen.filter((one) => one.event === 'job.log' && one.jobId === id);
    assert.equal(begun.length, 1, 'it has begun once');
  }
});

/** A job that became a suspect while no thread can be started. */
async function strand(t: TestContext, ms: number) {
  const { fails, open: start } = await open(t);
  const bench = await start();
  const suspect = await bench.add('where', { ms });
  await bench.said(suspect, 'here');
  fails(true);
  await bench.add('perish', { how: 'exit at once' });
  await bench.told.first(
    (one) => one.event === 'thread.died' && one.reason === 'too many open files',
  );
  return { bench, fails, suspect };
}

test('a suspect whose thread cannot be started waits for one, and so does the end of its worker', async (t) => {
  const { bench, fails, suspect } = await strand(t, 300);
  fails(false);
  const { attempt } = (await bench.jobEvent(suspect, 'job.succeeded')) as Events['job.succeeded'];
  assert.equal(attempt, 1);
  assert.equal((await stateOf(bench, suspect, 'succeeded')).counts.deaths, 0);
});

test('a worker none of whose threads can be started still ends', async (t) => {
  const { bench, suspect } = await strand(t, 60_000);
  await bench.worker.stop();
  const { state, counts } = await bench.inspector.status(suspect);
  assert.match(state, /^(pending|scheduled|retrying)$/, 'it is back in the queue');
  assert.equal(counts.deaths, 0);
});
