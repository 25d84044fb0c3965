/**
 * Uniqueness of durable tasks: put off by later calls, and done once more when a call came too late.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { acceptTask } from '../../../db/tasks/accept.ts';
import type { AcceptRequest } from '../../../db/tasks/request.ts';
import { acceptPlain } from '../../../db/tasks/accept-many.ts';
import { transaction } from '../../../db/stores/postgres.ts';
import { releaseTrailing, takeDueChecks } from '../../../db/tasks/checks.ts';
import { revokeTasks } from '../../../db/tasks/ends.ts';
import {
  failTask,
  findDelay,
  retryTask,
  startTask,
  succeedTask,
} from '../../../db/tasks/attempts.ts';
import { findTask } from '../../../db/tasks/rows.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { request, start } from '../../support/tasks.ts';

let database: TestDatabase;

before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

const accept = (changes: Partial<AcceptRequest>) => acceptTask(database.pool, request(changes));
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
    assert.equal((await startTask(database.pool, first.id, 0))?.payload, '{"v":2}');
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
    const claim = await start(database.pool, id);
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

describe('a call that meets a task which has begun', () => {
  const begun = async (changes: Partial<AcceptRequest> = {}) => {
    const dedupeKey = key();
    const { id } = await accept({ dedupeKey, ...changes });
    return { dedupeKey, claim: await start(database.pool, id) };
  };
  const due = async (): Promise<string[]> => {
    const tasks = await takeDueChecks(database.pool, 1000, 60_000);
    return tasks.map((task) => task.id);
  };

  test('is answered with it, unless it is to be done once more', async () => {
    const { dedupeKey, claim } = await begun();
    assert.deepEqual(await accept({ dedupeKey }), {
      id: claim.id,
      status: 'running',
      outcome: 'unfinished',
    });
  });

  test('is done once more after it, once however many call, with the newest payload', async () => {
    const { dedupeKey, claim } = await begun();
    const again = await accept({ dedupeKey, trailing: true, payload: '{"v":1}' });
    assert.deepEqual([again.status, again.outcome], ['queued', 'trailing']);
    assert.notEqual(again.id, claim.id);
    const newer = { dedupeKey, trailing: true, payload: '{"v":2}' };
    assert.deepEqual(await accept(newer), again);
    await releaseTrailing(database.pool);
    assert.ok(!(await due()).includes(again.id), 'nobody looks at it before the other has ended');
    await succeedTask(database.pool, claim, 'null');
    await releaseTrailing(database.pool);
    assert.ok((await due()).includes(again.id));
    assert.equal((await startTask(database.pool, again.id, 0))?.payload, '{"v":2}');
  });

  test('that has ended just now makes the one begin that waits, with the newest payload, and adds none', async () => {
    const { dedupeKey, claim } = await begun();
    const waiting = await accept({ dedupeKey, trailing: true, payload: '{"v":1}' });
    await succeedTask(database.pool, claim, 'null');
    const late = await accept({ dedupeKey, trailing: true, payload: '{"v":2}' });
    assert.equal(late.id, waiting.id);
    assert.ok((await due()).includes(waiting.id));
    assert.equal((await startTask(database.pool, waiting.id, 0))?.payload, '{"v":2}');
    const { rows } = await database.pool.query('SELECT FROM ai.tasks WHERE dedupe_key = $1', [
      dedupeKey,
    ]);
    assert.equal(rows.length, 2);
  });

  test('calls, ends and releases that meet in any order: what is done last is what was asked for last', async () => {
    const asked = { dedupeKey: key(), trailing: true };
    let last = 0;
    let isOver = false;
    const done: string[] = [];
    const release = async (): Promise<void> => {
      while (!isOver) await releaseTrailing(database.pool);
    };
    const work = async (): Promise<void> => {
      for (;;) {
        const { rows } = await database.pool.query<{ id: string }>(
          'SELECT id FROM ai.tasks WHERE dedupe_key = $1 AND finished_at IS NULL AND NOT trails',
          [asked.dedupeKey],
        );
        if (rows.length === 0 && isOver) return;
        for (const { id } of rows) {
          const started = await startTask(database.pool, id, 0);
          if (started === undefined) continue;
          done.push(started.payload);
          await succeedTask(database.pool, { id, epoch: started.epoch }, 'null');
        }
      }
    };
    const ask = async (): Promise<void> => {
      for (let i = 0; i < 150; i++) {
        await accept({ ...asked, payload: String(++last) });
        if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve, i % 7));
      }
    };
    const asking = ask().finally(() => (isOver = true));
    await Promise.all([asking, work(), release(), release()]);
    await releaseTrailing(database.pool);
    await work();
    assert.deepEqual(
      done,
      done.toSorted((a, b) => Number(a) - Number(b)),
      'none goes back in time',
    );
    assert.equal(done.at(-1), String(last));
  });

  test('has not begun gets its payload', async () => {
    const dedupeKey = key();
    const { id } = await accept({ dedupeKey, payload: '{"v":1}' });
    const later = await accept({ dedupeKey, trailing: true, payload: '{"v":2}' });
    assert.deepEqual([later.id, later.outcome], [id, 'unfinished']);
    assert.equal((await startTask(database.pool, id, 0))?.payload, '{"v":2}');
  });

  test('is done once more though that one fails or is revoked', async () => {
    const ends: ((claim: { id: string; epoch: string }) => Promise<unknown>)[] = [
      (claim) => failTask(database.pool, claim, { code: 'TASK_FAILED', message: 'no' }),
      (claim) => revokeTasks(database.pool, [claim.id]),
    ];
    for (const end of ends) {
      const { dedupeKey, claim } = await begun();
      const { id } = await accept({ dedupeKey, trailing: true });
      await end(claim);
      await releaseTrailing(database.pool);
      assert.ok((await due()).includes(id));
    }
  });

  test('waits for its turn though another task of the key came between', async () => {
    const { dedupeKey, claim } = await begun();
    const trailing = await accept({ dedupeKey, trailing: true });
    await succeedTask(database.pool, claim, 'null');
    const between = await accept({ dedupeKey });
    assert.equal(between.outcome, 'created');
    await releaseTrailing(database.pool);
    assert.ok(!(await due()).includes(trailing.id));
    const next = await start(database.pool, between.id);
    await succeedTask(database.pool, next, 'null');
    await releaseTrailing(database.pool);
    assert.ok((await due()).includes(trailing.id));
  });

  test('after a retry was planned it has begun all the same', async () => {
    const { dedupeKey, claim } = await begun();
    await database.pool.query(`UPDATE ai.tasks SET status = 'queued' WHERE id = $1`, [claim.id]);
    assert.equal((await accept({ dedupeKey, trailing: true })).outcome, 'trailing');
  });

  test('fifty at once are one more', async () => {
    const { dedupeKey } = await begun();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => accept({ dedupeKey, trailing: true })),
    );
    assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
  });
});

describe('a chosen id', () => {
  test('asked for fifty times at once is one task', async () => {
    const asked = request({ isChosenId: true });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => acceptTask(database.pool, asked)),
    );
    const outcomes = answers.map(({ outcome }) => outcome).toSorted();
    assert.deepEqual(outcomes, ['created', ...Array.from({ length: 49 }, () => 'repeated')]);
  });

  test('that is taken rolls many back', async () => {
    const taken = request({ isChosenId: true });
    await acceptTask(database.pool, taken);
    const others = [request({ isChosenId: true }), request({ isChosenId: true })];
    const clash = { ...taken, payload: '{"other":1}' };
    await assert.rejects(
      transaction(database.pool, (tx) => acceptPlain(tx, [others[0]!, clash, others[1]!])),
      { code: 'TASK_ID_TAKEN' },
    );
    for (const { id } of others) assert.equal(await findTask(database.pool, id), undefined);
  });
});
