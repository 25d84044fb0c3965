/** What happens to a graph besides running: repeats, revokes, requeues, expiry, other requests for the same work. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Control, Producer } from '../../../../../jobs/queue/index.ts';
import {
  chain,
  chord,
  group,
  linkError,
} from '../../../../../jobs/framework/canvas/combinators.ts';
import type { Composite } from '../../../../../jobs/framework/canvas/composition.ts';
import type { GraphOptions } from '../../../../../jobs/framework/canvas/to-request.ts';
import { pruneTasks } from '../../../../../db/tasks/prune.ts';
import { requeueDeadLetters } from '../../../../../jobs/framework/calls/dead-letters.ts';
import { Tasks } from '../../../../../jobs/framework/tasks.ts';
import { checkGraphs } from '../../../../../scheduler/graphs.ts';
import { Telemetry } from '../../../../../base/telemetry/telemetry.ts';
import { chunks, map, starmap } from '../../../../../jobs/framework/canvas/over.ts';
import { add, batch, canvasWorld, fail, gather, give, once, parent, TASKS, tell } from './world.ts';

const world = canvasWorld();
const one = give.s({ n: 1 });

const look = () =>
  checkGraphs({
    db: world.database.pool,
    producer: new Producer(world.broker),
    control: new Control(world.broker),
    telemetry: new Telemetry(),
  });

async function statuses(id: string): Promise<string[]> {
  return (await world.client.graphs.tasks(id)).map(({ status }) => status);
}

test('the same id and composition are one graph; another composition is refused', async () => {
  const id = randomUUID();
  const first = await world.client.enqueue(group([one, one]), { id });
  const again = await world.client.enqueue(group([one, one]), { id });
  assert.deepEqual([first.outcome, again.outcome], ['created', 'repeated']);
  await assert.rejects(world.client.enqueue(group([one]), { id }), { code: 'TASK_ID_TAKEN' });
  await world.drain();
  assert.deepEqual(await world.client.graphs.result(id).get({ timeoutMs: 1 }), [1, 1]);
});

test('an Idempotency-Key belongs to a user, and without a request of its own stands for the composition', async () => {
  const [userId, idempotencyKey] = [randomUUID(), 'k'];
  const enqueue = (work: Composite, options: GraphOptions) =>
    world.client.enqueue(work, { idempotencyKey, ...options });
  const first = await enqueue(group([one]), { userId });
  const again = await enqueue(group([one]), { userId });
  assert.deepEqual([again.id, again.outcome], [first.id, 'repeated']);
  const code = 'IDEMPOTENCY_KEY_REUSED';
  await assert.rejects(enqueue(group([one, one]), { userId }), { code });
  const other = await enqueue(group([one]), { userId: randomUUID() });
  assert.equal(other.outcome, 'created');
  const invalid = { code: 'TASK_OPTION_INVALID' };
  await assert.rejects(enqueue(group([one]), {}), invalid);
  await assert.rejects(enqueue(group([one]), { userId, id: randomUUID() }), invalid);
  await world.drain();
});

test('what a caller without types enqueues by mistake is refused, and nothing is written', async () => {
  const { client, database } = world;
  const code = 'GRAPH_INVALID';
  const count = async () =>
    (
      await database.pool.query<{ rows: number }>(
        'SELECT (SELECT count(*) FROM ai.tasks)::int + (SELECT count(*) FROM ai.graphs)::int AS rows',
      )
    ).rows[0]!.rows;
  const before = await count();
  const step = add.s({ n: 1 });
  for (const mistake of [null, undefined, 'hello', 5, {}, [one], [], step, Promise.resolve(one)]) {
    await assert.rejects(client.enqueue(mistake as never), { code }, typeof mistake);
    await assert.rejects(client.enqueueMany([mistake as never]), { code }, typeof mistake);
  }
  await assert.rejects(client.enqueueMany([chain(one) as never]), { code });
  assert.throws(() => map(give, null as never), { code });
  assert.throws(() => starmap(give, 'abc' as never, () => ({ n: 1 })), { code });
  assert.throws(() => chunks(batch, {} as never, 2), { code });
  for (const id of [null, undefined, 5, {}, 'x']) {
    assert.equal(await client.graphs.find(id as never), undefined);
    assert.equal(await client.graphs.revoke(id as never), undefined);
    assert.deepEqual(await client.graphs.tasks(id as never), []);
  }
  assert.equal(await count(), before);
});

test('a key has one unfinished graph', async () => {
  const dedupeKey = randomUUID();
  const first = await world.client.enqueue(group([one]), { dedupeKey });
  const joined = await world.client.enqueue(group([one, one]), { dedupeKey });
  assert.deepEqual([joined.id, joined.outcome], [first.id, 'unfinished']);
  await world.drain();
  const next = await world.client.enqueue(group([one]), { dedupeKey });
  assert.equal(next.outcome, 'created');
  await world.drain();
});

test('a member whose work is done by another request is followed, running or finished', async () => {
  const userId = randomUUID();
  const same = give.s({ n: 7 }, { userId, dedupeKey: randomUUID(), inputHash: 'same' });
  const single = await world.client.enqueue(same);
  const work = chord([same, one], gather.s({}));
  const { id } = await world.client.enqueue(work, { userId });
  assert.equal((await world.client.graphs.tasks(id))[0]?.id, single.id);
  await world.drain();
  assert.equal((await world.client.graphs.result(id).status()).status, 'running');
  await look();
  await world.drain();
  assert.equal(await world.client.graphs.result(id).get({ timeoutMs: 1 }), 8);
  const later = await world.client.enqueue(work, { userId });
  await world.drain();
  assert.equal(await world.client.graphs.result(later.id).get({ timeoutMs: 1 }), 8);
});

test('a revoked graph ends at once, and nothing of it runs', async () => {
  const { id } = await world.client.enqueue(chain(one, add.s({ n: 1 })));
  assert.equal(await world.client.graphs.revoke(id), 2);
  assert.equal(await world.client.graphs.revoke(id), 0);
  assert.equal(await world.client.graphs.revoke(randomUUID()), undefined);
  await world.drain();
  assert.deepEqual(await statuses(id), ['revoked', 'revoked']);
  await assert.rejects(world.client.graphs.result(id).get({ timeoutMs: 1 }), {
    code: 'TASK_REVOKED',
  });
});

test('revoking one task skips what depends on it', async () => {
  const { id } = await world.client.enqueue(chain(one, add.s({ n: 1 }), add.s({ n: 2 })));
  const [first] = await world.client.graphs.tasks(id);
  await world.client.revoke(first!.id);
  const { status, cause } = await world.client.graphs.result(id).status();
  assert.deepEqual([status, cause], ['error', first!.id]);
  const skipped = (await world.client.graphs.tasks(id)).slice(1);
  assert.deepEqual(
    skipped.map(({ error_code: code }) => code),
    ['TASK_SKIPPED', 'TASK_SKIPPED'],
  );
  await world.drain();
});

test('a failed task that is requeued lets the graph go on, and nothing runs again', async () => {
  once.fails = true;
  const work = chain(group([one, once.task.s({})]), gather.s({}), add.s({ n: 10 }));
  const { id } = await world.client.enqueue(work);
  await world.drain();
  const failed = await world.client.graphs.result(id).status();
  assert.equal(failed.status, 'error');
  assert.deepEqual(await world.client.graphs.result(id).partial(), null);
  once.fails = false;
  const { inspector, broker, database } = world;
  const control = new Control(broker);
  const tasks = new Tasks(Object.values(TASKS));
  const stores = { tasks, inspector, control, db: () => database.pool };
  assert.deepEqual(await requeueDeadLetters(stores, [failed.cause!]), ['requeued']);
  assert.deepEqual(await statuses(id), ['done', 'queued', 'waiting', 'waiting']);
  await world.drain();
  assert.equal(await world.client.graphs.result(id).get({ timeoutMs: 1 }), 12);
});

test('a link runs once, when a task of its part fails', async () => {
  const { id } = await world.client.enqueue(
    group([linkError(group([fail.s({}), fail.s({})]), tell.s({})), linkError(one, tell.s({}))]),
  );
  await world.drain();
  const names = (await world.client.graphs.tasks(id)).map(({ name }) => name);
  assert.deepEqual(names, ['fail', 'fail', 'give', 'tell']);
});

test('a graph whose time is up ends', async () => {
  const { id } = await world.client.enqueue(chain(one, add.s({ n: 1 })), { expiresMs: 1 });
  await look();
  assert.equal((await world.client.graphs.result(id).status()).status, 'revoked');
  await world.drain();
});

test('a task enqueues a composition, the same one at a later attempt', async () => {
  const { id } = await world.client.enqueue(parent.s({}));
  await world.drain();
  const children = (await world.client.find(id))?.result as string[];
  assert.equal(new Set(children).size, 2);
  for (const child of children) {
    assert.equal(await world.client.graphs.result(child).get({ timeoutMs: 1 }), 3);
  }
  const { rows } = await world.database.pool.query<{ graphs: number }>(
    'SELECT count(*)::int AS graphs FROM ai.graphs WHERE id = ANY($1)',
    [children],
  );
  assert.equal(rows[0]?.graphs, 2);
});

test('a graph is deleted with all of its tasks, and not before', async () => {
  const { id } = await world.client.enqueue(chord([one, one], gather.s({})));
  await world.drain();
  const tasks = () => world.client.graphs.tasks(id);
  await pruneTasks(world.database.pool, { ms: 3_600_000, perPerson: 0 }, 100);
  assert.equal((await tasks()).length, 3);
  while ((await pruneTasks(world.database.pool, { ms: 0, perPerson: 0 }, 100)) > 0);
  assert.deepEqual([await tasks(), await world.client.graphs.find(id)], [[], undefined]);
});
