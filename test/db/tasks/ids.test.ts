/**
 * Requests that are the same by an Idempotency-Key or by an id that was chosen.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import { transaction } from '../../../db/stores/postgres.ts';
import { acceptPlain, acceptTask } from '../../../db/tasks/accept.ts';
import { startTask } from '../../../db/tasks/attempts.ts';
import { findTask } from '../../../db/tasks/rows.ts';
import { accept, begin, database, succeed } from '../../support/durable.ts';
import { failTask, request, sameWork } from '../../support/tasks.ts';

describe('an Idempotency-Key', () => {
  test('ten times at once with the same body makes one row and gets one id', async () => {
    const keyed = { userId: randomUUID(), idempotencyKey: 'k', payload: '{"n":1}' };
    const accepted = await Promise.all(Array.from({ length: 10 }, () => accept(keyed)));
    assert.equal(new Set(accepted.map(({ id }) => id)).size, 1);
    assert.equal(accepted.filter(({ outcome }) => outcome === 'repeated').length, 9);
  });

  test('with another body or for another task is refused', async () => {
    const keyed = { userId: randomUUID(), idempotencyKey: 'k', payload: '{"n":1}' };
    await accept(keyed);
    for (const other of [{ payload: '{"n":2}' }, { name: 'wave' }]) {
      await assert.rejects(
        accept({ ...keyed, ...other }),
        (error) => error instanceof AppError && error.code === 'IDEMPOTENCY_KEY_REUSED',
      );
    }
  });

  test('belongs to its user', async () => {
    const first = await accept({ userId: randomUUID(), idempotencyKey: 'k' });
    const second = await accept({ userId: randomUUID(), idempotencyKey: 'k' });
    assert.notEqual(first.id, second.id);
    assert.equal(second.outcome, 'created');
  });

  test('answers with its task even when that is finished, and before any unfinished twin', async () => {
    const work = sameWork();
    const claim = await begin({ ...work, idempotencyKey: 'k' });
    await failTask(database.pool, claim, { code: 'TASK_FAILED', message: 'no' });
    await accept(work);
    assert.deepEqual(await accept({ ...work, idempotencyKey: 'k' }), {
      id: claim.id,
      status: 'error',
      outcome: 'repeated',
    });
  });

  test('that was answered by finished work is answered by it again', async () => {
    const work = sameWork();
    await succeed(await begin(work));
    const keyed = { ...work, idempotencyKey: 'k' };
    const first = await accept(keyed);
    assert.equal(first.outcome, 'finished');
    assert.deepEqual(await accept(keyed), first);
  });

  test('that met the task of another request belongs to it from then on', async () => {
    const work = { ...sameWork(), userId: randomUUID(), inputHash: 'before' };
    const { id } = await accept(work);
    const keyed = { ...work, idempotencyKey: 'k' };
    assert.deepEqual(await accept(keyed), { id, status: 'queued', outcome: 'unfinished' });
    const claim = (await startTask(database.pool, id, 0))!;
    await succeed({ id, epoch: claim.epoch });
    const later = await accept({ ...keyed, inputHash: 'after' });
    assert.deepEqual(later, { id, status: 'done', outcome: 'repeated' });
    await assert.rejects(accept({ ...keyed, payload: '{"n":2}' }), {
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  test('is free again after 24 h', async () => {
    const keyed = { userId: randomUUID(), idempotencyKey: 'k' };
    const { id } = await accept(keyed);
    await database.pool.query(
      `UPDATE ai.idempotency_keys SET created_at = created_at - interval '24 hours 1 second'
       WHERE task_id = $1`,
      [id],
    );
    const again = await accept({ ...keyed, payload: '{"n":2}' });
    assert.equal(again.outcome, 'created');
    assert.notEqual(again.id, id);
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
