/** Attempts that start and end in the same turn of a thread share a statement, and nothing else. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import { findRetries, type End, type Start } from '../../../db/tasks/attempts.ts';
import { StaleEpochError, type Fence } from '../../../db/tasks/fence.ts';
import { GroupedAttempts } from '../../../workers/thread/grouped-attempts.ts';
import { findTask } from '../../../db/tasks/rows.ts';
import { createPool } from '../../../db/stores/postgres.ts';
import { atEnd } from '../../support/at-end.ts';
import { HANG_MS } from '../../support/patience.ts';
import { accept, begin, database, restart, succeed } from '../../support/durable.ts';

const FAILURE = { code: 'LLM_UNAVAILABLE', message: 'away' } as const;
const DONE: End = { kind: 'succeeded', result: '"mine"' };

/** Attempts through a pool as small as that of a thread, which waits for locks and connections as long as it takes. */
function open(t: TestContext) {
  const url = new URL(database.url);
  for (const limit of ['lock_timeout', 'statement_timeout', 'query_timeout']) {
    url.searchParams.set(limit, String(HANG_MS));
  }
  const pool = createPool(url.href, { max: 3, name: 'thread' });
  Object.assign(pool.options, { connectionTimeoutMillis: HANG_MS });
  atEnd(t, () => pool.end());
  const { mock } = t.mock.method(pool, 'query');
  return { attempts: new GroupedAttempts(pool), statements: () => mock.callCount() };
}

/** Locks rows over a connection of its own until they are released. */
async function lock(ids: readonly string[]): Promise<() => Promise<void>> {
  const holder = await database.pool.connect();
  await holder.query('BEGIN');
  await holder.query('SET LOCAL idle_in_transaction_session_timeout = 0');
  await holder.query('SELECT FROM ai.tasks WHERE id = ANY($1) FOR UPDATE', [ids]);
  return async () => {
    await holder.query('ROLLBACK');
    holder.release();
  };
}

const many = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make));

const accepted = async (): Promise<string> => (await accept()).id;

const rowOf = async ({ id }: Pick<Fence, 'id'>) => {
  const row = (await findTask(database.pool, id))!;
  return [row.status, row.attempts, row.result, row.error_code];
};

describe('starts of one turn', () => {
  test('are one statement, each with its own epoch and attempts', async (t) => {
    const { attempts, statements } = open(t);
    const [fresh, charged] = [await accepted(), await accepted()];
    const { id: again } = await begin();
    const starts = await Promise.all([
      attempts.start(fresh, 0),
      attempts.start(charged, 2),
      attempts.start(again, 0),
    ]);
    assert.equal(statements(), 1);
    const facts = (start: Start | undefined) => [start?.epoch, start?.attempts];
    assert.deepEqual(starts.map(facts), [
      ['1', 0],
      ['1', 2],
      ['2', 0],
    ]);
    const kept = await findRetries(database.pool, charged);
    assert.deepEqual(
      kept.map(({ attempt, code }) => [attempt, code]),
      [[2, 'TASK_TIME_LIMIT']],
    );
    assert.deepEqual(await findRetries(database.pool, fresh), []);
  });

  test('that cannot begin leave their neighbours', async (t) => {
    const { attempts } = open(t);
    const [ended, id] = [await begin(), await accepted()];
    const later = (await accept({ delayMs: 60_000 })).id;
    await succeed(ended);
    const starts = await Promise.all(
      [ended.id, randomUUID(), later, id].map((one) => attempts.start(one, 0)),
    );
    assert.deepEqual(
      starts.map((start) => start?.epoch),
      [undefined, undefined, undefined, '1'],
    );
  });

  test('of the same task get an epoch each', async (t) => {
    const { attempts } = open(t);
    const id = await accepted();
    const starts = await Promise.all([attempts.start(id, 0), attempts.start(id, 0)]);
    assert.deepEqual(new Set(starts.map((start) => start?.epoch)), new Set(['1', '2']));
  });
});

describe('ends of one turn', () => {
  test('are one statement, whatever their kinds', async (t) => {
    const { attempts, statements } = open(t);
    const [done, failed, retried, snoozed] = await many(4, () => begin());
    await Promise.all([
      attempts.settle(done!, DONE),
      attempts.settle(failed!, { kind: 'failed', ...FAILURE }),
      attempts.settle(retried!, { kind: 'retry', delayMs: 60_000, ...FAILURE }),
      attempts.settle(snoozed!, { kind: 'snoozed', delayMs: 30_000 }),
    ]);
    assert.equal(statements(), 1);
    assert.deepEqual(await rowOf(done!), ['done', 1, 'mine', null]);
    assert.deepEqual(await rowOf(failed!), ['error', 1, null, FAILURE.code]);
    assert.deepEqual(await rowOf(retried!), ['queued', 1, null, FAILURE.code]);
    assert.deepEqual(await rowOf(snoozed!), ['queued', 0, null, null]);
    const { rows } = await database.pool.query(
      `SELECT run_at - now() BETWEEN '50 s' AND '60 s' AS in_a_minute, jsonb_array_length(retries) AS retries, snoozes
       FROM ai.tasks WHERE id = $1`,
      [retried!.id],
    );
    assert.deepEqual(rows, [{ in_a_minute: true, retries: 1, snoozes: 0 }]);
  });

  test('undo a start whose handler did not run, and keep what came before it', async (t) => {
    const { attempts } = open(t);
    const id = await accepted();
    const fenceOf = (start: Start | undefined): Fence => ({ id, epoch: start!.epoch });
    const isStarted = async () => (await findTask(database.pool, id))?.started_at !== null;
    const undo = async () => {
      const start = await attempts.start(id, 0);
      await attempts.settle(fenceOf(start), { kind: 'unstarted', isFirst: start!.isFirst });
      return start?.isFirst;
    };

    assert.equal(await undo(), true);
    assert.deepEqual([await rowOf({ id }), await isStarted()], [['queued', 0, null, null], false]);
    const failing = fenceOf(await attempts.start(id, 0));
    await attempts.settle(failing, { kind: 'retry', delayMs: 0, ...FAILURE });
    assert.equal(await undo(), false);
    const failedOnce = ['queued', 1, null, FAILURE.code];
    assert.deepEqual([await rowOf({ id }), await isStarted()], [failedOnce, true]);
  });

  test('are judged by their own epochs: a stale one is told, and its neighbours are settled', async (t) => {
    const { attempts } = open(t);
    const [first, stale, last] = await many(3, () => begin());
    const fresh = await restart(stale!.id);
    const told = await Promise.allSettled(
      [first!, stale!, last!].map((fence) => attempts.settle(fence, DONE)),
    );
    assert.deepEqual(
      told.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.ok(told[1]?.status === 'rejected' && told[1].reason instanceof StaleEpochError);
    assert.deepEqual(await rowOf(first!), ['done', 1, 'mine', null]);
    assert.deepEqual(await rowOf(stale!), ['running', 0, null, null]);
    await attempts.settle(fresh, DONE);
  });

  test('of one task are judged by their own epochs too', async (t) => {
    const { attempts } = open(t);
    const stale = await begin();
    const fresh = await restart(stale.id);
    const told = await Promise.allSettled([
      attempts.settle(stale, { ...DONE, result: '"stale"' }),
      attempts.settle(fresh, DONE),
      attempts.settle(fresh, { kind: 'failed', ...FAILURE }),
    ]);
    const settled = told.map(({ status }) => status === 'fulfilled');
    assert.deepEqual([settled[0], settled.filter(Boolean).length], [false, 1]);
    const [status, charged] = await rowOf(fresh);
    assert.deepEqual([status, charged], [settled[1] ? 'done' : 'error', 1]);
  });

  const REFUSED: Record<string, End> = {
    'a message with a NUL': { kind: 'failed', code: 'TASK_FAILED', message: 'a\u0000b' },
    'JSON that is nested too deep': {
      kind: 'succeeded',
      result: `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
    },
  };
  for (const [name, end] of Object.entries(REFUSED)) {
    test(`are settled though Postgres refuses one of them: ${name}`, async (t) => {
      const { attempts } = open(t);
      const [first, refused, last] = await many(3, () => begin());
      const told = await Promise.allSettled([
        attempts.settle(first!, DONE),
        attempts.settle(refused!, end),
        attempts.settle(last!, DONE),
      ]);
      assert.deepEqual(
        told.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.deepEqual(await rowOf(first!), ['done', 1, 'mine', null]);
      assert.deepEqual(await rowOf(refused!), ['running', 0, null, null]);
      await attempts.settle(refused!, { kind: 'failed', ...FAILURE });
    });
  }

  test('take a statement of their own if they are large', async (t) => {
    const { attempts, statements } = open(t);
    const [large, small] = await many(2, () => begin());
    const result = JSON.stringify('x'.repeat(100_000));
    await Promise.all([
      attempts.settle(large!, { kind: 'succeeded', result }),
      attempts.settle(small!, DONE),
    ]);
    assert.equal(statements(), 2);
    assert.equal((await findTask(database.pool, large!.id))?.result, JSON.parse(result));
  });
});

describe('rows that others have locked, more of them than a thread has connections,', () => {
  test('hold up no start of others, and start once they are free', async (t) => {
    const { attempts } = open(t);
    const [locked, free] = [await many(4, accepted), await many(4, accepted)];
    const release = await lock(locked);
    const waiting = Promise.all(locked.map((id) => attempts.start(id, 0)));
    try {
      // In the same statement, and in later ones.
      for (const id of free) assert.equal((await attempts.start(id, 0))?.epoch, '1');
    } finally {
      await release();
    }
    assert.deepEqual(
      (await waiting).map((start) => start?.epoch),
      locked.map(() => '1'),
    );
  });

  test('hold up no end of others, and end once they are free', async (t) => {
    const { attempts } = open(t);
    const [locked, free] = [await many(4, () => begin()), await many(4, () => begin())];
    const release = await lock(locked.map(({ id }) => id));
    const waiting = Promise.all(locked.map((fence) => attempts.settle(fence, DONE)));
    try {
      for (const fence of free) {
        await attempts.settle(fence, DONE);
        assert.deepEqual(await rowOf(fence), ['done', 1, 'mine', null]);
      }
    } finally {
      await release();
    }
    await waiting;
    for (const fence of locked) assert.deepEqual(await rowOf(fence), ['done', 1, 'mine', null]);
  });
});
