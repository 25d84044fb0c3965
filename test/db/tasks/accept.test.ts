/**
 * What a request is stored as, and when work that runs or was done before is the answer to it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { startTask } from '../../../db/tasks/attempts.ts';
import { findTask } from '../../../db/tasks/rows.ts';
import { accept, begin, database, succeed } from '../../support/durable.ts';
import { lockAwaited } from '../../support/stores/postgres.ts';
import { failTask, request, sameWork, succeedTask } from '../../support/tasks.ts';

async function rowsWith(dedupeKey: string | undefined): Promise<number> {
  const { rowCount } = await database.pool.query('SELECT FROM ai.tasks WHERE dedupe_key = $1', [
    dedupeKey,
  ]);
  return rowCount ?? 0;
}

describe('accepting', () => {
  test('stores the request and says so', async () => {
    const asked = request({ name: 'wave', queue: 'ai_tasks', userId: 'u-1', subject: 'p-1' });
    const accepted = await acceptTask(database.pool, asked);
    assert.deepEqual(accepted, { id: asked.id, status: 'queued', outcome: 'created', delayMs: 0 });
    const row = await findTask(database.pool, asked.id);
    assert.ok(row?.created_at instanceof Date);
    const { created_at: _, ...facts } = row;
    assert.deepEqual(facts, {
      id: asked.id,
      name: 'wave',
      queue: 'ai_tasks',
      status: 'queued',
      user_id: 'u-1',
      subject: 'p-1',
      attempts: 0,
      result: null,
      error_code: null,
      error_message: null,
      started_at: null,
      finished_at: null,
      delay_ms: 0,
    });
  });

  test('keeps the payload to the letter, numbers beyond 2^53 and order included', async () => {
    const payload = '{"z": 9007199254740993,\n "a":1, "a":2, "e":1.50, "nul":"\\u0000"}';
    const { id } = await accept({ payload });
    const { rows } = await database.pool.query(
      'SELECT payload::text AS payload FROM ai.tasks WHERE id = $1',
      [id],
    );
    assert.deepEqual(rows, [{ payload }]);
  });

  test('gives the reconciler its first look after 2 s', async () => {
    const { id } = await accept();
    const { rows } = await database.pool.query(
      'SELECT check_at - created_at = make_interval(secs => 2) AS two FROM ai.tasks WHERE id = $1',
      [id],
    );
    assert.deepEqual(rows, [{ two: true }]);
  });

  test('ten requests for the same work at once make one row and get one id', async () => {
    const work = sameWork();
    const accepted = await Promise.all(Array.from({ length: 10 }, () => accept(work)));
    assert.equal(new Set(accepted.map(({ id }) => id)).size, 1);
    assert.equal(accepted.filter(({ outcome }) => outcome === 'created').length, 1);
    assert.equal(accepted.filter(({ outcome }) => outcome === 'unfinished').length, 9);
    assert.equal(await rowsWith(work.dedupeKey), 1);
  });

  test('a request for work that runs gets its id, and notes when it was asked for', async () => {
    const work = sameWork();
    const { id } = await begin(work);
    assert.deepEqual(await accept(work), { id, status: 'running', outcome: 'unfinished' });
    const { rows } = await database.pool.query(
      'SELECT requested_at > started_at AS later FROM ai.tasks WHERE id = $1',
      [id],
    );
    assert.deepEqual(rows, [{ later: true }]);
  });

  test('requests without a dedupe key never meet', async () => {
    const accepted = await Promise.all([accept(), accept()]);
    assert.deepEqual(
      accepted.map(({ outcome }) => outcome),
      ['created', 'created'],
    );
  });
});

describe('work that was done before', () => {
  test('with the same input is the answer, and leaves no second row', async () => {
    const work = sameWork();
    const claim = await begin(work);
    await succeed(claim, JSON.stringify({ text: 'hello' }));
    assert.deepEqual(await accept(work), { id: claim.id, status: 'done', outcome: 'finished' });
    assert.equal(await rowsWith(work.dedupeKey), 1);
  });

  test('with another input is done again', async () => {
    const work = sameWork();
    await succeed(await begin(work));
    assert.equal((await accept({ ...work, inputHash: 'other' })).outcome, 'created');
  });

  test('is the answer to the input it was done with, not to that of an earlier call for it', async () => {
    const asked = { ...sameWork(), trailing: true };
    const newer = { ...asked, inputHash: 'newer' };
    const { id } = await accept(asked);
    assert.equal((await accept(newer)).id, id);
    const { epoch } = (await startTask(database.pool, id, 0))!;
    await succeed({ id, epoch });
    assert.deepEqual(await accept(newer), { id, status: 'done', outcome: 'finished' });
    assert.equal((await accept(asked)).outcome, 'created');
  });

  test('but failed is done again', async () => {
    const work = sameWork();
    const claim = await begin(work);
    await failTask(database.pool, claim, { code: 'TASK_FAILED', message: 'no' });
    assert.equal((await accept(work)).outcome, 'created');
  });

  test('counts even if it ends while the request is being stored', async () => {
    const work = sameWork();
    const claim = await begin(work);
    const finishing = await database.pool.connect();
    await finishing.query('BEGIN');
    await succeedTask(finishing, claim, 'null');
    const asking = accept(work);
    await lockAwaited(database.pool);
    await finishing.query('COMMIT');
    finishing.release();
    assert.deepEqual(await asking, { id: claim.id, status: 'done', outcome: 'finished' });
    assert.equal(await rowsWith(work.dedupeKey), 1);
  });
});

test('input that was answered before something newer was written is no answer any more', async () => {
  const work = sameWork();
  for (const inputHash of ['a', 'b']) {
    const claim = await begin({ ...work, inputHash });
    await succeed(claim);
  }
  assert.equal((await accept({ ...work, inputHash: 'b' })).outcome, 'finished');
  assert.equal((await accept({ ...work, inputHash: 'a' })).outcome, 'created');
});
