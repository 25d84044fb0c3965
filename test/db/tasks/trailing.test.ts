/**
 * Durable tasks that are done once more, as a call came too late for the one that runs.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { startTask } from '../../../db/tasks/attempts.ts';
import { releaseTrailing, takeDueChecks } from '../../../db/tasks/reconciliation.ts';
import { revokeTasks } from '../../../db/tasks/ends.ts';
import type { AcceptRequest } from '../../../db/tasks/request.ts';
import { accept, database, restart, startedWith, succeed } from '../../support/durable.ts';
import { failTask } from '../../support/tasks.ts';

const key = (): string => `sync:${randomUUID()}`;

describe('a call that meets a task which has begun', () => {
  const begun = async (changes: Partial<AcceptRequest> = {}) => {
    const dedupeKey = key();
    const { id } = await accept({ dedupeKey, ...changes });
    return { dedupeKey, claim: await restart(id) };
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
    assert.deepEqual(await accept(newer), { ...again, outcome: 'unfinished' });
    await releaseTrailing(database.pool);
    assert.ok(!(await due()).includes(again.id), 'nobody looks at it before the other has ended');
    await succeed(claim);
    await releaseTrailing(database.pool);
    assert.ok((await due()).includes(again.id));
    assert.equal(await startedWith(again.id), '{"v":2}');
  });

  test('that has ended just now makes the one begin that waits, with the newest payload, and adds none', async () => {
    const { dedupeKey, claim } = await begun();
    const waiting = await accept({ dedupeKey, trailing: true, payload: '{"v":1}' });
    await succeed(claim);
    const late = await accept({ dedupeKey, trailing: true, payload: '{"v":2}' });
    assert.equal(late.id, waiting.id);
    assert.ok((await due()).includes(waiting.id));
    assert.equal(await startedWith(waiting.id), '{"v":2}');
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
          await succeed({ id, epoch: started.epoch });
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
    assert.equal(await startedWith(id), '{"v":2}');
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
    await succeed(claim);
    const between = await accept({ dedupeKey });
    assert.equal(between.outcome, 'created');
    await releaseTrailing(database.pool);
    assert.ok(!(await due()).includes(trailing.id));
    const next = await restart(between.id);
    await succeed(next);
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
