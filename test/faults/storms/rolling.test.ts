/**
 * Workers are stopped and replaced one after the other while jobs flow.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/queue/consumers.ts';
import { HANG_MS } from '../../support/patience.ts';
import { openWorkerApp } from '../../support/app/worker-app.ts';
import { report, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('rolling', { restarts: { ci: 20, full: 100 } });
/** Workers at a time. */
const WORKERS = 2;
/** Pause between two jobs, in milliseconds. */
const PACE_MS = 15;
const GRACE_MS = String(HANG_MS);

test('rolling restarts under load lose no job, charge none, and run each once', async (t) => {
  const app = await openWorkerApp(t);
  const { add, accept, diary, inspector } = app;
  const start = () => app.start({ SHUTDOWN_GRACE_MS: GRACE_MS, LOG_LEVEL: 'info' });
  const workers = await Promise.all(Array.from({ length: WORKERS }, start));
  const ids: string[] = [];
  let flowing = true;
  const flow = (async () => {
    for (let n = 0; flowing; n++) {
      const payload = { file: diary.file, ms: (n * 37) % 200 };
      ids.push(n % 4 === 0 ? await accept('durable_diary', payload) : await add('diary', payload));
      await sleep(PACE_MS);
    }
  })();
  const codes: unknown[] = [];
  for (let restart = 0; restart < SIZES.restarts; restart++) {
    const next = start();
    const oldest = workers.shift()!;
    oldest.child.kill('SIGTERM');
    codes.push(await oldest.ended);
    workers.push(await next);
  }
  flowing = false;
  await flow;
  const ended = () => diary.lines().filter((line) => line.startsWith('ended')).length;
  await eventually('all have ended', () => ended() >= ids.length);
  assert.deepEqual(new Set(codes), new Set([0]));

  const lines = diary.lines().map((line) => line.split(' ').slice(0, 3).join(' '));
  const expected = ids.flatMap((id) => [`begun ${id} 1`, `ended ${id} 1`]);
  assert.deepEqual(lines.toSorted(), expected.toSorted());
  await eventually('the queue has heard of all', async () => {
    const { queues, workers: holders, delayed } = await inspector.overview();
    const waiting = queues.flatMap((queue) => queue.waiting);
    return [...waiting, ...holders.map(({ held }) => held), delayed].every((jobs) => jobs === 0);
  });
  // It keeps the last 10,000.
  for (const { id, state } of await inspector.statuses(ids.slice(-1000)))
    assert.equal(state, 'succeeded', id);
  assert.equal((await inspector.overview()).failed, 0);
  assert.equal(await app.broker.redis.exists(app.broker.key(0, 'counts')), 0);
  const { rows } = await app.database.pool.query(
    'SELECT status, attempts, epoch::int, count(*)::int FROM ai.tasks GROUP BY 1, 2, 3',
  );
  const durable = ids.filter((_, n) => n % 4 === 0).length;
  assert.deepEqual(rows, [{ status: 'done', attempts: 1, epoch: 1, count: durable }]);
  const pids = new Set(diary.lines().map((line) => line.split(' ')[3]));
  for (const { child } of workers) child.kill('SIGTERM');
  for (const worker of workers) assert.equal(await worker.ended, 0);
  report(t, {
    figure: `${SIZES.restarts} rolling restarts under load`,
    result: `${ids.length} jobs on ${pids.size} processes: every exit code 0, every job begun and ended once, none charged`,
    violations: [],
  });
});
