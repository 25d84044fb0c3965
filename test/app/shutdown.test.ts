import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/queue/consumers.ts';
import { HANG_MS } from '../support/patience.ts';
import { openWorkerApp, type WorkerApp } from '../support/app/worker-app.ts';

/** Longer than any test: who waits for the lease, waits in vain. */
const LEASE_MS = 600_000;

/** Jobs that never look at their signal, one of them durable, all running: for so long, and at once when begun again. */
async function beginDeafJobs(
  { add, accept, diary }: WorkerApp,
  firstMs = LEASE_MS,
): Promise<string[]> {
  const payload = { file: diary.file, ms: 0, firstMs };
  const ids = [
    await add('diary', payload),
    await add('diary', payload),
    await accept('durable_diary', payload),
  ];
  await eventually('they run', () => diary.lines().length === ids.length);
  return ids;
}

/** Checks that another worker begins with the jobs right away, as if for the first time. */
async function taken(app: WorkerApp, ids: string[], pid: number): Promise<void> {
  const begun = (): string[] =>
    app.diary
      .lines()
      .filter((line) => line.startsWith('begun') && line.endsWith(` ${pid}`))
      .map((line) => line.split(' ').slice(1, 3).join(' '));
  await eventually('another worker has them', () => begun().length === ids.length);
  assert.deepEqual(begun().toSorted(), ids.map((id) => `${id} 1`).toSorted());
  for (const { state, counts } of await app.inspector.statuses(ids)) {
    // The attempt that ends it is the first to count.
    const attempts = state === 'succeeded' ? 1 : 0;
    assert.deepEqual(counts, { attempts, deaths: 0, mark: '' });
  }
  await eventually('they end', async () =>
    (await app.inspector.statuses(ids)).every(({ state }) => state === 'succeeded'),
  );
  const { rows } = await app.database.pool.query('SELECT status, attempts FROM ai.tasks');
  assert.deepEqual(rows, [{ status: 'done', attempts: 1 }]);
}

test('a second signal gives everything back at once, and another worker gets it long before the lease is over', async (t) => {
  const app = await openWorkerApp(t, LEASE_MS);
  const first = await app.start({ SHUTDOWN_GRACE_MS: '600000' });
  const ids = await beginDeafJobs(app);
  const second = await app.start();
  first.child.kill('SIGTERM');
  await first.wrote(/process\.stopping/);
  first.child.kill('SIGTERM');
  assert.equal(await first.ended, 130);
  await taken(app, ids, second.child.pid!);
});

test('the command for a cold shutdown does the same, and answers', async (t) => {
  const app = await openWorkerApp(t, LEASE_MS);
  const first = await app.start({ SHUTDOWN_GRACE_MS: '600000' });
  const ids = await beginDeafJobs(app);
  const { code, text } = await app.cli(
    'control',
    'shutdown',
    '--cold',
    '--timeout',
    String(HANG_MS),
  );
  assert.equal(code, 0, text);
  assert.match(text, /shuts down, cold/);
  assert.equal(await first.ended, 130);
  const second = await app.start();
  await taken(app, ids, second.child.pid!);
});

test('the command for a warm shutdown lets jobs end, and the process ends with 0', async (t) => {
  const app = await openWorkerApp(t, LEASE_MS);
  const worker = await app.start({ SHUTDOWN_GRACE_MS: '600000' });
  const ids = await beginDeafJobs(app, 1500);
  const { code, text } = await app.cli(
    'control',
    'shutdown',
    '--json',
    '--timeout',
    String(HANG_MS),
  );
  assert.equal(code, 0, text);
  const { workers } = JSON.parse(text) as { workers: { answer: unknown }[] };
  assert.deepEqual(workers[0]?.answer, { kind: 'warm' });
  assert.equal(await worker.ended, 0);
  for (const { state } of await app.inspector.statuses(ids)) assert.equal(state, 'succeeded');
});
