/**
 * Durable tasks that later calls put off.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { findDelay, startTask } from '../../../db/tasks/attempts.ts';
import { accept, database, restart, startedWith } from '../../support/durable.ts';
import { retryTask, sameWork } from '../../support/tasks.ts';

const key = (): string => `sync:${randomUUID()}`;

/** Milliseconds until a task may run, and what it would run with. */
async function plan(id: string): Promise<{ inMs: number; payload: string }> {
  const { rows } = await database.pool.query<{ inMs: number; payload: string }>(
    `SELECT extract(epoch FROM run_at - now())::float8 * 1000 AS "inMs", payload::text AS payload
     FROM ai.tasks WHERE id = $1`,
    [id],
  );
  return rows[0]!;
}

async function age(id: string, seconds: number): Promise<void> {
  await database.pool.query(
    `UPDATE ai.tasks SET created_at = created_at - $2 * interval '1 second',
       run_at = run_at - $2 * interval '1 second' WHERE id = $1`,
    [id, seconds],
  );
}

const near = (actual: number | undefined, expected: number): void =>
  assert.ok(Math.abs((actual ?? Infinity) - expected) < 3000, `${actual}, not ${expected}`);

describe('debounce', () => {
  test('each call puts the task off, with the newest payload, and says until when', async () => {
    const asked = { dedupeKey: key(), debounceMs: 60_000 };
    const first = await accept({ ...asked, payload: '{"v":1}' });
    assert.equal(first.outcome, 'created');
    near(first.delayMs, 60_000);
    await age(first.id, 30);
    near((await plan(first.id)).inMs, 30_000);
    const second = await accept({ ...asked, payload: '{"v":2}' });
    assert.deepEqual([second.id, second.outcome], [first.id, 'unfinished']);
    near(second.delayMs, 60_000);
    const { inMs, payload } = await plan(first.id);
    near(inMs, 60_000);
    assert.equal(payload, '{"v":2}');
    await age(first.id, 60);
    assert.equal(await startedWith(first.id), '{"v":2}');
  });

  test('but never beyond the longest wait, counted from the first call', async () => {
    const asked = { dedupeKey: key(), debounceMs: 60_000, maxWaitMs: 90_000 };
    const { id } = await accept(asked);
    await age(id, 50);
    near((await accept(asked)).delayMs, 40_000);
    await age(id, 50);
    assert.equal((await accept(asked)).delayMs, 0);
  });

  test('it does not begin before its time, whatever the queue knows of that; a retry may', async () => {
    const asked = { dedupeKey: key(), debounceMs: 60_000 };
    const { id } = await accept(asked);
    assert.equal(await startTask(database.pool, id, 0), undefined);
    near(await findDelay(database.pool, id), 60_000);
    await age(id, 61);
    const claim = await restart(id);
    await retryTask(database.pool, claim, { code: 'TASK_FAILED', message: 'no' }, 60_000);
    assert.ok(await startTask(database.pool, id, 1));
  });

  test('the id of a call stays its own when a later one gave the task another payload', async () => {
    const asked = { id: randomUUID(), isChosenId: true, dedupeKey: key(), debounceMs: 60_000 };
    const first = await accept({ ...asked, payload: '{"v":1}' });
    await accept({ ...asked, id: randomUUID(), payload: '{"v":2}' });
    const again = await accept({ ...asked, payload: '{"v":1}' });
    assert.deepEqual([again.id, again.outcome], [first.id, 'repeated']);
    await assert.rejects(accept({ ...asked, dedupeKey: key(), payload: '{"v":1}' }), {
      code: 'TASK_ID_TAKEN',
    });
  });

  test('a call without it leaves time and payload as they are', async () => {
    const dedupeKey = key();
    const { id } = await accept({ dedupeKey, debounceMs: 60_000, payload: '{"v":1}' });
    const { delayMs } = await accept({ dedupeKey, payload: '{"v":2}' });
    assert.equal(delayMs, undefined);
    assert.equal((await plan(id)).payload, '{"v":1}');
  });
});

test('a task that is put off expires by the newest request, whichever payload it runs with', async () => {
  for (const trailing of [true, false]) {
    const debounced = { ...sameWork(), debounceMs: 30_000, expiresMs: 40_000, trailing };
    const { id } = await accept(debounced);
    await database.pool.query('UPDATE ai.tasks SET expires_at = now() WHERE id = $1', [id]);
    await accept(debounced);
    const { rows } = await database.pool.query(
      'SELECT expires_at - run_at = make_interval(secs => 10) AS later FROM ai.tasks WHERE id = $1',
      [id],
    );
    assert.deepEqual(rows, [{ later: true }]);
  }
});
