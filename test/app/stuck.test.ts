/**
 * A native call that outlives its time limit ends with the process alone: after the grace, in order, and told.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWorkerApp, type WorkerApp } from '../support/app/worker-app.ts';
import { eventually } from '../support/queue/consumers.ts';
import { stretched } from '../support/patience.ts';

/** Longer than any test: who waits for the lease, waits in vain. */
const LEASE_MS = 600_000;

const begun = ({ diary }: WorkerApp, pid: number) =>
  diary.lines().filter((line) => line.startsWith('begun') && line.endsWith(` ${pid}`)).length;

test('a process whose thread cannot be ended gives its jobs back and ends, told', async (t) => {
  const app = await openWorkerApp(t, LEASE_MS);
  const first = await app.start({ WORKER_THREADS: '2', SHUTDOWN_GRACE_MS: '100' });
  const neighbour = await app.add('diary', { file: app.diary.file, ms: 0, firstMs: LEASE_MS });
  await eventually('it runs', () => begun(app, first.child.pid!) === 1);
  const id = await app.add('native');
  await first.wrote(/thread\.stuck/);
  await first.wrote(/a thread could not be ended/);
  assert.equal(await first.ended, 'SIGKILL');
  const status = await app.inspector.status(id);
  assert.deepEqual([status.state, status.reason?.code], ['failed', 'TASK_TIME_LIMIT']);
  await app.start();
  await eventually(
    'another worker has its neighbour',
    async () => (await app.inspector.status(neighbour)).state === 'succeeded',
  );
});

test('SIGTERM keeps its grace beside a thread that cannot be ended', async (t) => {
  const app = await openWorkerApp(t, LEASE_MS);
  const worker = await app.start({ WORKER_THREADS: '2', SHUTDOWN_GRACE_MS: String(LEASE_MS) });
  const ms = stretched(8000);
  const neighbour = await app.add('diary', { file: app.diary.file, ms });
  await eventually('it runs', () => begun(app, worker.child.pid!) === 1);
  await app.add('native');
  await worker.wrote(/calling/);
  worker.child.kill('SIGTERM');
  assert.equal(await worker.ended, 'SIGKILL');
  assert.equal((await app.inspector.status(neighbour)).state, 'succeeded');
});

test('a second signal ends a process whose thread cannot be ended', async (t) => {
  const app = await openWorkerApp(t, LEASE_MS);
  const worker = await app.start({ SHUTDOWN_GRACE_MS: String(LEASE_MS) });
  await app.add('native');
  await worker.wrote(/calling/);
  worker.child.kill('SIGTERM');
  await worker.wrote(/process\.stopping/);
  worker.child.kill('SIGTERM');
  assert.equal(await worker.ended, 'SIGKILL');
});
