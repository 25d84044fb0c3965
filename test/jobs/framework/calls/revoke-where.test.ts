/** Revoking every task that fits a filter. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { revokeTasks } from '../../../../db/tasks/ends.ts';
import { revokeWhere } from '../../../../jobs/framework/calls/revoke.ts';
import { Control } from '../../../../jobs/queue/index.ts';
import type { DurableCallOptions } from '../../../../jobs/framework/options.ts';
import { durable, testClient, transient } from '../../../support/client.ts';

const world = testClient();
beforeEach(() => world.database.pool.query('TRUNCATE ai.tasks CASCADE'));

const put = (options: DurableCallOptions = {}) =>
  world.client.applyAsync(durable, { n: 1 }, { countdownMs: 3_600_000, ...options });

async function openRows(): Promise<number> {
  const { rowCount } = await world.database.pool.query(
    'SELECT FROM ai.tasks WHERE finished_at IS NULL',
  );
  return rowCount ?? 0;
}

const FILTERS = [{ userId: 'u-1' }, { subject: 's-1' }, { queue: 'served' }];
for (const filter of FILTERS) {
  test(`the tasks with ${JSON.stringify(filter)} are revoked in both stores, and no others`, async () => {
    const { client, inspector } = world;
    const [mine, other] = [await put(filter), await put({ userId: 'u-2', subject: 's-2' })];
    const ended = await put(filter);
    await revokeTasks(world.database.pool, [ended.id]);
    await client.idle();
    assert.equal(await client.countOpen(filter), 1);
    assert.deepEqual(await client.revokeWhere(filter), { revoked: 1, unreached: 0 });
    assert.equal((await client.find(mine.id))?.status, 'revoked');
    assert.equal((await inspector.status(mine.id)).state, 'revoked');
    assert.equal((await client.find(other.id))?.status, 'queued');
  });
}

test('conditions are joined, and more tasks than fit a batch are all revoked', async () => {
  const { client } = world;
  const calls = Array.from({ length: 1203 }, () =>
    durable.s({ n: 1 }, { userId: 'u-1', countdownMs: 3_600_000 }),
  );
  await client.enqueueMany(calls);
  await put({ userId: 'u-2' });
  const filter = { task: durable.name, userId: 'u-1' };
  assert.equal(await client.countOpen(filter), 1203);
  assert.deepEqual(await client.revokeWhere(filter), { revoked: 1203, unreached: 0 });
  assert.equal(await openRows(), 1);
  assert.deepEqual(await client.revokeWhere({ task: 'another' }), { revoked: 0, unreached: 0 });
});

test('it works while Redis is unavailable, and asks it only once', async () => {
  const calls = Array.from({ length: 600 }, () =>
    durable.s({ n: 1 }, { userId: 'u-1', countdownMs: 3_600_000 }),
  );
  await world.client.enqueueMany(calls);
  let asked = 0;
  const control = {
    async revoke(): ReturnType<Control['revoke']> {
      asked++;
      throw new Error('unavailable');
    },
  };
  const stores = { db: world.database.pool, control };
  assert.deepEqual(await revokeWhere(stores, { userId: 'u-1' }), { revoked: 600, unreached: 600 });
  assert.deepEqual([asked, await openRows()], [1, 0]);
});

test('what is accepted after the call is left', async () => {
  const { pool } = world.database;
  const mine = await put({ userId: 'u-1' });
  let late: string | undefined;
  const control: Pick<Control, 'revoke'> = {
    async revoke(ids) {
      // The time of the call is known to the millisecond.
      await pool.query('SELECT pg_sleep(0.002)');
      late ??= (await put({ userId: 'u-1' })).id;
      return ids.map(() => 'revoked');
    },
  };
  const stores = { db: pool, control };
  assert.deepEqual(await revokeWhere(stores, { userId: 'u-1' }), { revoked: 1, unreached: 0 });
  assert.equal((await world.client.find(mine.id))?.status, 'revoked');
  assert.equal((await world.client.find(late!))?.status, 'queued');
});

test('a filter that says nothing, misspells a condition or names a transient task revokes nothing', async () => {
  const { client } = world;
  await put({ userId: 'u-1' });
  const messageOf = (filter: object) =>
    client.revokeWhere(filter).then(
      () => 'revoked',
      ({ message }: Error) => message,
    );
  assert.match(await messageOf({}), /at least one of task, userId, subject and queue/);
  assert.match(await messageOf({ task: undefined }), /at least one/);
  assert.match(await messageOf({ task: durable.name, userID: 'u' }), /Did you mean "?userId/);
  assert.match(await messageOf({ userId: '' }), /userId must be/);
  assert.match(await messageOf({ task: transient.name }), /not durable/);
  assert.equal(await openRows(), 1);
});
