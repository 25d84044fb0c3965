/**
 * Steps of durable tasks: run once, stored with their effects.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { findStep, runStep, storeStep } from '../../../db/tasks/steps.ts';
import { startTask } from '../../../db/tasks/attempts.ts';
import { StaleEpochError } from '../../../db/tasks/fence.ts';
import { begin, database, restart } from '../../support/durable.ts';
import { lockAwaited } from '../../support/stores/postgres.ts';

describe('a step', () => {
  before(() => database.pool.query('CREATE TABLE effects (task_id uuid, what text)'));

  test('runs once: a repeat gets the stored output and changes nothing', async () => {
    const claim = await begin();
    const once = () =>
      runStep(database.pool, claim, 'save', async (tx) => {
        await tx.query("INSERT INTO effects VALUES ($1, 'saved')", [claim.id]);
        return { version: 7 };
      });
    assert.deepEqual(await once(), { version: 7 });
    const next = await restart(claim.id);
    const repeat = await runStep(database.pool, next, 'save', () => assert.fail('it ran again'));
    assert.deepEqual(repeat, { version: 7 });
    assert.deepEqual(await findStep(database.pool, claim.id, 'save'), { output: { version: 7 } });
    assert.equal(await effectsOf(claim.id), 1);
  });

  test('asked for twice at once runs once', async () => {
    const claim = await begin();
    let runs = 0;
    const outputs = await Promise.all(
      [1, 2].map(() => runStep(database.pool, claim, 'count', async () => ++runs)),
    );
    assert.deepEqual(outputs, [1, 1]);
  });

  test('whose output is null is stored all the same', async () => {
    const claim = await begin();
    await runStep(database.pool, claim, 'nothing', async () => null);
    assert.deepEqual(await findStep(database.pool, claim.id, 'nothing'), { output: null });
    const repeat = await runStep(database.pool, claim, 'nothing', () => assert.fail('ran again'));
    assert.equal(repeat, null);
  });

  test('that throws leaves neither effect nor output, and runs the next time', async () => {
    const claim = await begin();
    const failing = runStep(database.pool, claim, 'save', async (tx) => {
      await tx.query("INSERT INTO effects VALUES ($1, 'half')", [claim.id]);
      throw new Error('half way');
    });
    await assert.rejects(failing, /half way/);
    assert.equal(await effectsOf(claim.id), 0);
    assert.equal(await findStep(database.pool, claim.id, 'save'), undefined);
    assert.equal(await runStep(database.pool, claim, 'save', async () => 'whole'), 'whole');
  });

  test('keeps a new start waiting until its effects are there', async () => {
    const claim = await begin();
    const order: string[] = [];
    let restarted: Promise<unknown> | undefined;
    await runStep(database.pool, claim, 'save', async (tx) => {
      await tx.query("INSERT INTO effects VALUES ($1, 'saved')", [claim.id]);
      restarted = restart(claim.id).then(async () => {
        order.push(`started, and sees ${await effectsOf(claim.id)} effect`);
      });
      await Promise.race([lockAwaited(database.pool), restarted]);
      order.push('wrote');
    });
    await restarted;
    assert.deepEqual(order, ['wrote', 'started, and sees 1 effect']);
  });
});

describe('the output of work that is done', () => {
  test('is stored in one statement, and read by the next attempt', async (t) => {
    const claim = await begin();
    const { mock } = t.mock.method(database.pool, 'query');
    assert.deepEqual(await storeStep(database.pool, claim, 'llm', { reply: 1 }), { reply: 1 });
    assert.equal(mock.callCount(), 1);
    const next = await restart(claim.id);
    assert.deepEqual(await findStep(database.pool, next.id, 'llm'), { output: { reply: 1 } });
  });

  test('is that which was stored first', async () => {
    const claim = await begin();
    const outputs = await Promise.all(
      [1, 2].map((output) => storeStep(database.pool, claim, 'llm', output)),
    );
    assert.equal(outputs[0], outputs[1]);
    assert.deepEqual(await findStep(database.pool, claim.id, 'llm'), { output: outputs[0] });
  });

  test('waits for whoever starts the task anew, and is then stale', async () => {
    const claim = await begin();
    const starting = await database.pool.connect();
    await starting.query('BEGIN');
    await startTask(starting, claim.id, 0);
    const storing = storeStep(database.pool, claim, 'llm', 'reply');
    await Promise.race([lockAwaited(database.pool), storing]);
    await starting.query('COMMIT');
    starting.release();
    await assert.rejects(storing, StaleEpochError);
    assert.equal(await findStep(database.pool, claim.id, 'llm'), undefined);
  });
});

async function effectsOf(taskId: string): Promise<number> {
  const { rowCount } = await database.pool.query('SELECT FROM effects WHERE task_id = $1', [
    taskId,
  ]);
  return rowCount ?? 0;
}
