/**
 * One row that cannot be read or dispatched is set aside, and the others are dispatched in the same round.
 */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { findTask } from '../../db/tasks/rows.ts';
import { Inspector } from '../../jobs/queue/index.ts';
import { reconcile } from '../../scheduler/reconciler.ts';
import type { EventName } from '../../base/telemetry/telemetry.ts';
import {
  accept,
  broker,
  checkIn,
  database,
  events,
  fail,
  makeDue,
  options,
  redis,
  stateOf,
} from './reconciler-fixture.ts';

const change = (id: string, to: string) =>
  database.pool.query(`UPDATE ai.tasks SET ${to} WHERE id = $1`, [id]);

const seen = (event: EventName): number => events.seen.filter((one) => one === event).length;

/** Each makes a row that an older release, another program or a person may have left. */
const ODD: Record<string, string> = {
  'a start in 300 years': `run_at = now() + interval '300 years'`,
  'a start that never comes': `run_at = 'infinity'`,
  'an end that never comes': `expires_at = 'infinity'`,
  'a queue no queue is called': `queue = 'no such queue!'`,
  'a name no task is called': `name = 'no task!'`,
  'a payload above the limit': `payload = to_json(repeat('a', 1048577))`,
  'headers above the limit': `options = json_build_object('headers', json_build_object('a', repeat('a', 5000)))`,
  'options that are a list': `options = '[1]'`,
  'headers that are no texts': `options = '{"headers":{"a":1}}'`,
  'an id no job has': `id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'`,
};

describe('a row with', () => {
  for (const [name, to] of Object.entries(ODD)) {
    test(`${name} is told and set aside, and its neighbours are dispatched`, async () => {
      const [before, odd, after] = [await accept(), await accept(), await accept()];
      await change(odd.id, to);
      await makeDue();
      await reconcile(options);
      assert.deepEqual([await stateOf(before.id), await stateOf(after.id)], ['pending', 'pending']);
      assert.equal(seen('reconciler.set_aside'), 1);
      const { rows } = await database.pool.query(
        `SELECT status, error_code FROM ai.tasks WHERE finished_at IS NOT NULL`,
      );
      assert.deepEqual(rows, [{ status: 'error', error_code: 'TASK_UNDISPATCHABLE' }]);
      assert.ok((await checkIn(before.id)) > 60, 'the neighbours are not looked at again at once');
    });
  }

  test('a NUL in a header is dispatched as it is, and so are its neighbours', async () => {
    const [odd, other] = [await accept(), await accept()];
    await change(odd.id, String.raw`options = '{"headers":{"a":"\u0000\ud800"}}'`);
    await makeDue();
    await reconcile(options);
    assert.deepEqual([await stateOf(odd.id), await stateOf(other.id)], ['pending', 'pending']);
  });
});

describe('a record in Redis', () => {
  beforeEach(() => events.seen.splice(0));

  test('that cannot be read does not hide the states of others', async () => {
    const [odd, other] = [await accept(), await accept()];
    await redis.client.hset(broker.key(0, 'jobs'), odd.id, 'f1{no json\nno job');
    await makeDue();
    await reconcile(options);
    assert.equal(await stateOf(other.id), 'pending');
    assert.equal((await findTask(database.pool, odd.id))?.error_code, 'TASK_FAILED');
  });

  test('that another process added meanwhile is no failure', async () => {
    const { id } = await accept();
    const { inspector } = options;
    const [status] = await inspector.statuses([id]);
    const job = { id, task: 'greet', queue: 'default', payload: '{"newer":1}' };
    await broker.enqueue(0, [job]);
    await makeDue();
    const late = new Inspector(broker);
    late.statuses = async () => [status!];
    await reconcile({ ...options, inspector: late });
    assert.equal(await stateOf(id), 'pending');
    assert.equal(seen('reconciler.set_aside'), 0);
    assert.equal((await findTask(database.pool, id))?.status, 'queued');
  });

  test('of another task with the same id, which has ended, ends the row as set aside', async () => {
    const { id } = await accept();
    await broker.enqueue(0, [{ id, task: 'stranger', queue: 'default', payload: '{}' }]);
    await fail(id, { code: 'TASK_FAILED' });
    await makeDue();
    await reconcile(options);
    assert.equal((await findTask(database.pool, id))?.error_code, 'TASK_UNDISPATCHABLE');
    assert.equal(seen('reconciler.set_aside'), 1);
  });
});
