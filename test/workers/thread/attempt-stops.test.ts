import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../../../db/embedded/host/port.ts';
import { createPool } from '../../../db/stores/postgres.ts';
import { markUnavailable } from '../../../db/stores/unavailable.ts';
import { StaleEpochError } from '../../../db/tasks/fence.ts';
import { attempt } from '../../../workers/thread/attempt.ts';
import { Stop } from '../../../workers/thread/stop.ts';
import {
  accepted,
  database,
  live,
  scope,
  scopeOn,
  rowOf,
  told,
} from '../../support/threads/attempts.ts';

for (const reason of ['shutdown', 'lease lost', 'revoked'] as const) {
  test(`a task aborted by "${reason}" is released uncharged, and can be started again`, async () => {
    const stopping = new Stop();
    let runs = 0;
    const job = await accepted(async (ctx) => {
      if (++runs > 1) return 'done';
      stopping.abort(reason);
      ctx.signal.throwIfAborted();
      return 'never';
    });
    const outcome = await attempt(job, scope, stopping);
    assert.deepEqual(outcome, { kind: 'released', delayMs: 0, reason });
    assert.equal((await rowOf(job)).attempts, 0);
    assert.equal((await attempt(job, scope, live)).kind, 'succeeded');
  });
}

test('a task aborted before its handler starts is released and does not run', async () => {
  const stopping = new Stop();
  stopping.abort('revoked');
  const job = await accepted(() => assert.fail('it ran'));
  const outcome = await attempt(job, scope, stopping);
  assert.deepEqual(outcome, { kind: 'released', delayMs: 0, reason: 'revoked' });
});

test('the soft time limit is an attempt like any other', async () => {
  const limit = new Stop();
  const job = await accepted(async (ctx) => {
    limit.abort('soft time limit');
    ctx.signal.throwIfAborted();
  });
  const outcome = await attempt(job, scope, limit);
  assert.equal(outcome.kind === 'retry' && outcome.attempts, 1);
});

test('after the soft time limit, too, nothing is charged for a store that is away and an owner overtaken', async () => {
  const away = markUnavailable(new Error('Query read timeout'));
  const overtaken = new StaleEpochError({ id: 'b7c1', epoch: '4' });
  for (const error of [away, overtaken]) {
    const limit = new Stop();
    const job = await accepted(async () => {
      limit.abort('soft time limit');
      throw error;
    });
    assert.equal((await attempt(job, scope, limit)).kind, 'released');
    assert.equal((await rowOf(job)).attempts, 0);
  }
});

test('without Postgres the job is released uncharged', async () => {
  const job = await accepted(() => assert.fail('it ran'));
  const url = `postgres://127.0.0.1:${await freePort()}/none`;
  const db = createPool(url, { max: 1, name: 'test' });
  const outcome = await attempt(job, scopeOn(db), live);
  await db.end();
  assert.equal(outcome.kind, 'released');
});

test('an outcome that cannot be stored is not told: the job is released', async () => {
  const job = await accepted(async () => {
    throw new Error('broken');
  });
  const broken = createPool(database.url, { max: 1, name: 'test' });
  const query = broken.query.bind(broken) as (text: string, values: unknown[]) => Promise<unknown>;
  const db = Object.assign(broken, {
    query: (text: string, values: unknown[]) =>
      text.includes('error_code')
        ? Promise.reject(new Error('Connection terminated unexpectedly'))
        : query(text, values),
  });
  const outcome = await attempt(job, scopeOn(db), live);
  await broken.end();
  assert.equal(outcome.kind, 'released');
  assert.deepEqual([(await rowOf(job)).status, (await rowOf(job)).attempts], ['running', 0]);
});

test('a task tells its progress and log lines under its own id and name', async () => {
  const job = await accepted(async (ctx) => {
    ctx.log('a line', { count: 2 });
    ctx.progress(0.25);
    return 'done';
  });
  told.length = 0;
  await attempt(job, scope, live);
  assert.deepEqual(told, [
    { type: 'log', id: job.id, task: job.task, message: 'a line', fields: { count: 2 } },
    { type: 'progress', id: job.id, value: 0.25, note: null },
  ]);
});
