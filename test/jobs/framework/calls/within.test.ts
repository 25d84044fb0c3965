/** Calls that are part of a transaction of the caller. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transaction } from '../../../../db/stores/postgres.ts';
import { createReconciler } from '../../../../scheduler/reconciler.ts';
import { Telemetry } from '../../../../base/telemetry/telemetry.ts';
import { Producer } from '../../../../jobs/queue/index.ts';
import { durable, testClient, transient } from '../../../support/client.ts';
import { eventually } from '../../../support/queue/consumers.ts';

const world = testClient();
const stateOf = async (id: string) => (await world.inspector.status(id)).state;

test('a call within a transaction is accepted with its commit, and queued by dispatch', async () => {
  const { client, database } = world;
  const accepted = await transaction(database.pool, async (tx) => {
    const inside = await client.within(tx).enqueue(durable.s({ n: 1 }));
    assert.equal(inside.outcome, 'created');
    assert.equal(await client.find(inside.id), undefined, 'nobody else sees it yet');
    return inside;
  });
  assert.equal((await client.find(accepted.id))?.status, 'queued');
  assert.equal(await stateOf(accepted.id), 'unknown', 'not dispatched by itself');
  accepted.dispatch();
  await client.idle();
  assert.equal(await stateOf(accepted.id), 'pending');
});

test('a rolled back call never was', async () => {
  const { client, database } = world;
  let id = '';
  const rolledBack = transaction(database.pool, async (tx) => {
    ({ id } = await client.within(tx).enqueue(durable.s({ n: 2 }, { dedupeKey: 'rolled back' })));
    throw new Error('no');
  });
  await assert.rejects(rolledBack, /no/);
  assert.equal(await client.find(id), undefined);
});

test('after a crash between commit and dispatch the reconciler queues it', async () => {
  const { client, database, broker, inspector } = world;
  const { id } = await transaction(database.pool, (tx) =>
    client.within(tx).enqueue(durable.s({ n: 3 })),
  );
  const telemetry = new Telemetry();
  const producer = new Producer(broker);
  const options = { db: database.pool, producer, inspector, telemetry, leaseMs: 15_000 };
  const reconciler = createReconciler(options);
  await reconciler.start();
  await eventually('queued', async () => (await stateOf(id)) === 'pending');
  await reconciler.stop();
});

test('a transient task cannot be part of a transaction, and a wrong call is refused', async () => {
  const { client, database } = world;
  const within = client.within(database.pool);
  await assert.rejects(within.enqueue(transient.s({ n: 1 })), { code: 'TASK_OPTION_INVALID' });
  const wrong = durable.s({ n: 'x' as unknown as number });
  await assert.rejects(within.enqueue(wrong), { code: 'TASK_PAYLOAD_INVALID' });
});

test('uniqueForMs needs a key, and excludes the options that run a key once more', async () => {
  const { client } = world;
  const messageOf = (options: object) =>
    client.applyAsync(durable, { n: 1 }, options).then(
      () => 'accepted',
      ({ message }: Error) => message,
    );
  assert.equal(await messageOf({ uniqueForMs: 1000 }), 'uniqueForMs needs dedupeKey.');
  const key = { dedupeKey: 'k', uniqueForMs: 1000 };
  assert.equal(
    await messageOf({ ...key, trailing: true }),
    'uniqueForMs and trailing cannot both be given.',
  );
  assert.equal(
    await messageOf({ ...key, debounceMs: 5 }),
    'uniqueForMs and debounceMs cannot both be given.',
  );
});
