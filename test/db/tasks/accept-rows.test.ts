import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import { failTask, startTask, succeedTask } from '../../../db/tasks/attempts.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import type { AcceptRequest } from '../../../db/tasks/request.ts';
import { findTask } from '../../../db/tasks/rows.ts';
import {
  createTestDatabase,
  lockAwaited,
  type TestDatabase,
} from '../../support/stores/postgres.ts';
import { acceptAndStart, request, sameWork } from '../../support/tasks.ts';

let database: TestDatabase;

before(async () => {
  database = await createTestDatabase();
});

after(() => database.drop());

async function accept(changes: Partial<AcceptRequest> = {}) {
  return acceptTask(database.pool, request(changes));
}

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
    const { id } = await acceptAndStart(database.pool, work);
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

test('input that was answered before something newer was written is no answer any more', async () => {
  const work = sameWork();
  for (const inputHash of ['a', 'b']) {
    const claim = await acceptAndStart(database.pool, { ...work, inputHash });
    await succeedTask(database.pool, claim, 'null');
  }
  assert.equal((await accept({ ...work, inputHash: 'b' })).outcome, 'finished');
  assert.equal((await accept({ ...work, inputHash: 'a' })).outcome, 'created');
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
    const claim = await acceptAndStart(database.pool, { ...work, idempotencyKey: 'k' });
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
    await succeedTask(database.pool, await acceptAndStart(database.pool, work), 'null');
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
    await succeedTask(database.pool, { id, epoch: claim.epoch }, 'null');
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

describe('work that was done before', () => {
  test('with the same input is the answer, and leaves no second row', async () => {
    const work = sameWork();
    const claim = await acceptAndStart(database.pool, work);
    await succeedTask(database.pool, claim, JSON.stringify({ text: 'hello' }));
    assert.deepEqual(await accept(work), { id: claim.id, status: 'done', outcome: 'finished' });
    assert.equal(await rowsWith(work.dedupeKey), 1);
  });

  test('with another input is done again', async () => {
    const work = sameWork();
    await succeedTask(database.pool, await acceptAndStart(database.pool, work), 'null');
    assert.equal((await accept({ ...work, inputHash: 'other' })).outcome, 'created');
  });

  test('is the answer to the input it was done with, not to that of an earlier call for it', async () => {
    const asked = { ...sameWork(), trailing: true };
    const newer = { ...asked, inputHash: 'newer' };
    const { id } = await accept(asked);
    assert.equal((await accept(newer)).id, id);
    const { epoch } = (await startTask(database.pool, id, 0))!;
    await succeedTask(database.pool, { id, epoch }, 'null');
    assert.deepEqual(await accept(newer), { id, status: 'done', outcome: 'finished' });
    assert.equal((await accept(asked)).outcome, 'created');
  });

  test('but failed is done again', async () => {
    const work = sameWork();
    const claim = await acceptAndStart(database.pool, work);
    await failTask(database.pool, claim, { code: 'TASK_FAILED', message: 'no' });
    assert.equal((await accept(work)).outcome, 'created');
  });

  test('counts even if it ends while the request is being stored', async () => {
    const work = sameWork();
    const claim = await acceptAndStart(database.pool, work);
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
