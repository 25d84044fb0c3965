/**
 * What one person may ask for within a time, and what is kept of it.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import { transaction } from '../../../db/stores/postgres.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { revokeTasks } from '../../../db/tasks/ends.ts';
import { pruneTasks } from '../../../db/tasks/prune.ts';
import type { AcceptRequest } from '../../../db/tasks/request.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { acceptAndStart, request, start, succeedTask } from '../../support/tasks.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

function asker(most: number, name = 'greet') {
  const userId = randomUUID();
  const quota = { most, withinMs: DAY_MS };
  return {
    userId,
    ask: (changes: Partial<AcceptRequest> = {}) =>
      acceptTask(database.pool, request({ userId, name, quota, ...changes })),
    async count() {
      const { rows } = await database.pool.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM ai.tasks WHERE user_id = $1',
        [userId],
      );
      return rows[0]!.n;
    },
  };
}

function isExceeded(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'QUOTA_EXCEEDED';
}

describe('a quota', () => {
  test('counts what was revoked, so that asking again does not make new work without bound', async () => {
    const { ask, count } = asker(3);
    const key = { dedupeKey: randomUUID(), inputHash: 'same' };
    for (let n = 0; n < 3; n++) {
      const { id, outcome } = await ask(key);
      assert.equal(outcome, 'created');
      assert.deepEqual(await revokeTasks(database.pool, [id]), ['revoked']);
    }
    await assert.rejects(ask(key), isExceeded);
    assert.equal(await count(), 3, 'the refused one left no row');
  });

  test('says when the oldest task leaves it, and takes new ones from then on', async () => {
    const { userId, ask } = asker(2);
    await ask();
    await ask();
    const move = `UPDATE ai.tasks SET created_at = created_at - $2 * interval '1 hour'
      WHERE id = (SELECT id FROM ai.tasks WHERE user_id = $1 ORDER BY created_at LIMIT 1)`;
    await database.pool.query(move, [userId, 23]);
    await assert.rejects(ask(), (error) => {
      assert.ok(isExceeded(error));
      assert.equal(error.status, 429);
      assert.deepEqual(error.details, { quota: 'greet', limit: 2 });
      const seconds = error.retryAfterSeconds!;
      assert.ok(seconds > 0 && seconds <= 3600, `${seconds}`);
      return true;
    });
    await database.pool.query(move, [userId, 1]);
    assert.equal((await ask()).outcome, 'created');
  });

  test('is not used up by joining unfinished work, getting finished work or repeating a key', async () => {
    const { ask } = asker(2);
    const key = { dedupeKey: randomUUID(), inputHash: 'same', idempotencyKey: 'k' };
    const { id } = await ask(key);
    await ask();
    assert.equal((await ask({ ...key, idempotencyKey: undefined })).outcome, 'unfinished');
    assert.equal((await ask(key)).outcome, 'repeated');
    await succeedTask(database.pool, await start(database.pool, id), '1');
    assert.equal((await ask({ ...key, idempotencyKey: undefined })).outcome, 'finished');
    await assert.rejects(ask(), isExceeded);
  });

  test('is of one person and one name', async () => {
    const { userId, ask } = asker(1);
    await ask();
    await assert.rejects(ask(), isExceeded);
    assert.equal((await ask({ name: 'part' })).outcome, 'created');
    assert.equal((await asker(1).ask()).outcome, 'created');
    assert.equal((await acceptTask(database.pool, request({ userId }))).outcome, 'created');
  });

  test('holds for tasks that trail', async () => {
    const { ask, count } = asker(1);
    const key = { dedupeKey: randomUUID(), trailing: true };
    await start(database.pool, (await ask(key)).id);
    await assert.rejects(ask(key), isExceeded);
    assert.equal(await count(), 1);
  });

  test('is exact for requests that come at the same time', async () => {
    const { ask, count } = asker(5);
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => ask()));
    const refused = answers.filter((answer) => answer.status === 'rejected');
    assert.equal(refused.length, 15);
    assert.ok(refused.every(({ reason }) => isExceeded(reason)));
    assert.equal(await count(), 5);
  });

  test('leaves no row in a transaction that goes on', async () => {
    const { userId, ask, count } = asker(1);
    await ask();
    const quota = { most: 1, withinMs: DAY_MS };
    await transaction(database.pool, async (tx) => {
      await assert.rejects(acceptTask(tx, request({ userId, quota })), isExceeded);
    });
    assert.equal(await count(), 1);
  });

  test('reads an index and no more rows than it allows', async () => {
    const { userId } = asker(3);
    const { rows } = await transaction(database.pool, async (tx) => {
      await tx.query('SET LOCAL enable_seqscan = off');
      return tx.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN SELECT created_at FROM ai.tasks WHERE user_id = $1 AND name = 'greet'
           AND created_at > now() - interval '1 day' ORDER BY created_at DESC OFFSET 2 LIMIT 1`,
        [userId],
      );
    });
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    assert.match(plan, /tasks_of_user/);
    assert.doesNotMatch(plan, /Sort/);
  });
});

describe('of one person', () => {
  const keep = { ms: 30 * DAY_MS, perPerson: 3 };

  async function finish(userId: string, changes: Partial<AcceptRequest> = {}): Promise<string> {
    const fence = await acceptAndStart(database.pool, { userId, ...changes });
    await succeedTask(database.pool, fence, 'null');
    return fence.id;
  }

  async function left(ids: readonly string[]): Promise<number[]> {
    const { rows } = await database.pool.query<{ id: string }>(
      'SELECT id FROM ai.tasks WHERE id = ANY($1)',
      [ids],
    );
    return ids.flatMap((id, index) => (rows.some((row) => row.id === id) ? [index] : []));
  }

  async function pruneAll(limit = 100): Promise<number> {
    let total = 0;
    for (let rows = -1; rows !== 0; total += rows) {
      rows = await pruneTasks(database.pool, keep, limit);
      assert.ok(rows <= limit);
    }
    return total;
  }

  test('the newest finished tasks of each name are kept, whatever their age; unfinished ones stay', async () => {
    await pruneAll();
    const [one, other] = [randomUUID(), randomUUID()];
    const waiting = (await acceptTask(database.pool, request({ userId: one }))).id;
    const many: string[] = [];
    for (let n = 0; n < 7; n++) many.push(await finish(one));
    const others = [await finish(one, { name: 'part' }), await finish(other), await finish(other)];
    assert.equal(await pruneAll(3), 4);
    assert.deepEqual(await left([waiting, ...many]), [0, 5, 6, 7]);
    assert.deepEqual(await left(others), [0, 1, 2]);
  });

  test('the newest idempotency keys are kept, and their tasks with them', async () => {
    await pruneAll();
    const userId = randomUUID();
    const ids: string[] = [];
    for (let n = 0; n < 6; n++) ids.push(await finish(userId, { idempotencyKey: `k${n}` }));
    assert.equal(await pruneAll(), 6, 'three keys and their tasks');
    assert.deepEqual(await left(ids), [3, 4, 5]);
    const { rows } = await database.pool.query<{ key: string }>(
      'SELECT key FROM ai.idempotency_keys WHERE user_id = $1 ORDER BY key',
      [userId],
    );
    assert.deepEqual(
      rows.map(({ key }) => key),
      ['k3', 'k4', 'k5'],
    );
  });
});
