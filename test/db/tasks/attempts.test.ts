/**
 * Starts and ends of durable tasks, and who may write them.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { settleTask, settleTasks, startTask, startTasks } from '../../../db/tasks/attempts.ts';
import { StaleEpochError, type Fence } from '../../../db/tasks/fence.ts';
import { findEnds, findTask } from '../../../db/tasks/rows.ts';
import { findStep, runStep, storeStep } from '../../../db/tasks/steps.ts';
import { accept, begin, database, restart, succeed } from '../../support/durable.ts';
import { createTestDatabase } from '../../support/stores/postgres.ts';
import { failTask, request, retryTask, sameWork } from '../../support/tasks.ts';

describe('a start', () => {
  test('takes the next epoch and tells whose task it is', async () => {
    const { id } = await accept({ userId: 'u-1' });
    const requestedAt = (await findTask(database.pool, id))!.created_at;
    const { dueAt, ...start } = (await startTask(database.pool, id, 0))!;
    assert.ok(dueAt >= requestedAt);
    assert.deepEqual(start, {
      epoch: '1',
      isFirst: true,
      attempts: 0,
      slot: null,
      snoozes: 0,
      name: 'greet',
      queue: 'default',
      userId: 'u-1',
      graphId: null,
      previous: null,
      payload: '{}',
      requestedAt,
    });
    const first = await findTask(database.pool, id);
    assert.equal(first?.status, 'running');
    const { dueAt: againAt, ...again } = (await startTask(database.pool, id, 0))!;
    assert.ok(againAt >= requestedAt);
    assert.deepEqual(again, {
      epoch: '2',
      isFirst: false,
      attempts: 0,
      slot: null,
      snoozes: 0,
      name: 'greet',
      queue: 'default',
      userId: 'u-1',
      graphId: null,
      previous: null,
      payload: '{}',
      requestedAt,
    });
    assert.deepEqual((await findTask(database.pool, id))?.started_at, first.started_at);
  });

  test('keeps the larger count of attempts, its own or that of the queue', async () => {
    const { id } = await accept();
    assert.equal((await startTask(database.pool, id, 2))?.attempts, 2);
    assert.equal((await startTask(database.pool, id, 1))?.attempts, 2);
  });

  test('of a finished or an unknown task is none', async () => {
    const claim = await begin();
    await succeed(claim);
    assert.equal(await startTask(database.pool, claim.id, 0), undefined);
    assert.equal(await startTask(database.pool, randomUUID(), 0), undefined);
  });
});

describe('an end', () => {
  test('stores the result and one more attempt', async () => {
    const claim = await begin();
    await succeed(claim, JSON.stringify({ text: '島' }));
    const row = await findTask(database.pool, claim.id);
    assert.equal(row?.status, 'done');
    assert.deepEqual(row.result, { text: '島' });
    assert.equal(row.attempts, 1);
    assert.ok(row.finished_at instanceof Date);
  });

  test('by failure stores why; by success after a retry it does not', async () => {
    const failed = await begin();
    await failTask(database.pool, failed, { code: 'LLM_UNAVAILABLE', message: 'away' });
    const row = await findTask(database.pool, failed.id);
    assert.deepEqual(
      [row?.status, row?.error_code, row?.error_message, row?.attempts],
      ['error', 'LLM_UNAVAILABLE', 'away', 1],
    );

    const retried = await begin();
    await retryTask(database.pool, retried, { code: 'LLM_UNAVAILABLE', message: 'away' }, 60_000);
    assert.equal((await findTask(database.pool, retried.id))?.error_code, 'LLM_UNAVAILABLE');
    await succeed(await restart(retried.id));
    const done = await findTask(database.pool, retried.id);
    assert.deepEqual([done?.status, done?.error_code, done?.attempts], ['done', null, 2]);
  });

  test('is what tells finished ids from others', async () => {
    const claim = await begin();
    const { id: waiting } = await accept();
    await succeed(claim);
    const ends = await findEnds(database.pool, [claim.id, waiting, randomUUID()]);
    assert.deepEqual(
      ends.toSorted((a, b) => Number(b.finished) - Number(a.finished)),
      [
        { id: claim.id, finished: true },
        { id: waiting, finished: false },
      ],
    );
  });

  test('put off by a retry queues the task again, not before its delay', async () => {
    const claim = await begin();
    await retryTask(database.pool, claim, { code: 'TASK_FAILED', message: 'later' }, 60_000);
    const { rows } = await database.pool.query(
      `SELECT status, attempts, finished_at, run_at - now() BETWEEN '50 s' AND '60 s' AS in_a_minute
       FROM ai.tasks WHERE id = $1`,
      [claim.id],
    );
    assert.deepEqual(rows, [
      { status: 'queued', attempts: 1, finished_at: null, in_a_minute: true },
    ]);
  });
});

describe('an owner whose epoch is stale, or whose task is finished,', () => {
  const failure = { code: 'TASK_FAILED', message: 'no' } as const;
  const writes: Record<string, (claim: Fence) => Promise<unknown>> = {
    output: (claim) => storeStep(database.pool, claim, 's', 'output'),
    snooze: (claim) => settleTask(database.pool, claim, { kind: 'snoozed', delayMs: 1 }),
    step: (claim) => runStep(database.pool, claim, 's', () => assert.fail('the step ran')),
    success: (claim) => succeed(claim, '"mine"'),
    failure: (claim) => failTask(database.pool, claim, failure),
    retry: (claim) => retryTask(database.pool, claim, failure, 0),
  };

  for (const [name, write] of Object.entries(writes)) {
    test(`writes nothing: ${name}`, async () => {
      const stale = await begin();
      const fresh = await restart(stale.id);
      const running = await wholeRow(stale.id);
      await assert.rejects(write(stale), StaleEpochError);
      assert.equal(await wholeRow(stale.id), running);

      await succeed(fresh, '"theirs"');
      const finished = await wholeRow(stale.id);
      await assert.rejects(write(fresh), StaleEpochError);
      assert.equal(await wholeRow(stale.id), finished);
      assert.equal(await findStep(database.pool, stale.id, 's'), undefined);
    });
  }
});

async function wholeRow(id: string): Promise<string> {
  const { rows } = await database.pool.query<{ row: string }>(
    'SELECT tasks::text AS row FROM ai.tasks WHERE id = $1',
    [id],
  );
  return rows[0]!.row;
}

test('starts, retries and steps touch no index: their updates are HOT', async () => {
  // A database where nothing else reports updates; used by one query at a time, hence over one connection.
  const fresh = await createTestDatabase();
  const { pool } = fresh;
  try {
    // Room for every version of a row, so that none depends on when older ones are cleared away.
    await pool.query('ALTER TABLE ai.tasks SET (fillfactor = 10)');
    const ids: string[] = [];
    // Enough rows to fill several pages.
    for (let i = 0; i < 60; i++) ids.push((await acceptTask(pool, request(sameWork()))).id);
    for (const id of ids) {
      const started = await startTask(pool, id, 0);
      const claim = { id, epoch: started!.epoch };
      await runStep(pool, claim, 'llm', async () => 'reply');
      await retryTask(pool, claim, { code: 'LLM_UNAVAILABLE', message: 'away' }, 1000);
      await startTask(pool, id, 1);
    }
    await pool.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await pool.query(
      `SELECT n_tup_upd::integer AS updates, n_tup_hot_upd::integer AS hot
       FROM pg_stat_user_tables WHERE relid = 'ai.tasks'::regclass`,
    );
    assert.deepEqual(rows, [{ updates: 180, hot: 180 }]);
  } finally {
    await fresh.drop();
  }
});

test('starts and ends find their rows by id, though Postgres takes the unfinished ones to be few', async () => {
  const { pool, drop } = await createTestDatabase();
  try {
    // Without statistics, which come only later.
    await pool.query('ALTER TABLE ai.tasks SET (autovacuum_enabled = false)');
    const { rows } = await pool.query<{ id: string }>(
      `INSERT INTO ai.tasks (id, name, queue, priority, payload)
       SELECT gen_random_uuid(), 'greet', 'default', 5, '{}' FROM generate_series(1, 2000) RETURNING id`,
    );
    const some = rows.slice(0, 10);
    const starts = some.map(({ id }) => ({ id, charged: 0 }));
    const started = await startTasks(pool, starts, 'skip');
    const endings = some.map(({ id }, index) => {
      const fence = { id, epoch: started[index]!.epoch };
      return { fence, end: { kind: 'succeeded', result: 'null' } } as const;
    });
    assert.ok((await settleTasks(pool, endings, 'skip')).every(Boolean));
    await pool.query('SELECT pg_stat_force_next_flush()');
    const { rows: reads } = await pool.query(
      `SELECT idx_tup_read::integer AS read FROM pg_stat_user_indexes WHERE indexrelname = 'tasks_check'`,
    );
    assert.deepEqual(reads, [{ read: 0 }]);
  } finally {
    await drop();
  }
});
