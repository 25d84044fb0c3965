/**
 * Calls of tasks: what reaches Postgres and the queue, and what is refused before anything is written.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { AppError } from '../../../../base/errors.ts';
import { Control } from '../../../../jobs/queue/index.ts';
import { defineTask } from '../../../../jobs/framework/define.ts';
import type { Signature } from '../../../../jobs/framework/signature.ts';
import { durable, testClient, transient } from '../../../support/client.ts';
import { eventually } from '../../../support/queue/consumers.ts';

/** Long enough that a test which waits for it has failed. */
const NEVER_MS = 3_600_000;

const world = testClient();

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

async function rows(): Promise<number> {
  const { rowCount } = await world.database.pool.query('SELECT FROM ai.tasks');
  return rowCount ?? 0;
}

/** The job as the queue has it, once it does. */
async function jobOf(id: string) {
  await eventually('queued', async () => (await world.inspector.status(id)).state !== 'unknown');
  return world.inspector.status(id);
}

describe('a call', () => {
  for (const task of [durable, transient]) {
    const kind = task.durable ? 'a durable task' : 'one that is not durable';

    test(`of ${kind} is queued as its definition says`, async () => {
      const { id, status, outcome } = await world.client.delay(task, { n: 7 });
      assert.deepEqual([status, outcome], ['queued', 'created']);
      const { state, job } = await jobOf(id);
      assert.deepEqual(
        [state, job?.task, job?.queue, job?.priority, job?.payload],
        ['pending', task.name, task.queue, task.priority, '{"n":7}'],
      );
    });

    test(`of ${kind} says when, where, how urgent it is and what goes along`, async () => {
      const id = randomUUID();
      const headers = { who: 'me' };
      const options = { id, countdownMs: 60_000, expiresMs: 90_000, priority: 9, queue: 'served' };
      await world.client.enqueueMany([task.s({ n: 1 }, { ...options, headers })]);
      const { state, job } = await jobOf(id);
      assert.deepEqual(
        [state, job?.queue, job?.priority, job?.headers],
        ['scheduled', 'served', 9, headers],
      );
      const leftMs = job!.expiresAtMs! - Date.now();
      assert.ok(leftMs > 60_000 && leftMs <= 90_500, `${leftMs} ms`);
      const key = world.broker.key(0, 'delayed');
      const dueMs = Number(await world.redis.client.zscore(key, `9${id}`)) - Date.now();
      assert.ok(dueMs > 30_000 && dueMs <= 60_500, `${dueMs} ms`);
    });

    test(`of ${kind} may wait for a time of day`, async () => {
      const eta = new Date(Date.now() + 600_000);
      const [{ id } = { id: '' }] = await world.client.enqueueMany([task.s({ n: 1 }, { eta })]);
      await jobOf(id);
      const key = world.broker.key(0, 'delayed');
      const score = await world.redis.client.zscore(key, `${task.priority}${id}`);
      assert.ok(Math.abs(Number(score) - eta.getTime()) < 30_000);
      const past = new Date(Date.now() - 30_000);
      const [now] = await world.client.enqueueMany([task.s({ n: 1 }, { eta: past })]);
      assert.equal((await jobOf(now!.id)).state, 'pending');
    });

    test(`of ${kind} with the same id is the same task, with another payload it is refused`, async () => {
      const id = randomUUID();
      const call = (n: number) => world.client.enqueueMany([task.s({ n }, { id })]);
      assert.equal((await call(1))[0]?.outcome, 'created');
      assert.equal((await call(1))[0]?.outcome, 'repeated');
      assert.equal(await codeOf(call(2)), 'TASK_ID_TAKEN');
      assert.equal((await jobOf(id)).job?.payload, '{"n":1}');
    });
  }

  test('of 2,500 tasks of both kinds is answered in order', async () => {
    const signatures = Array.from({ length: 2500 }, (_, n) =>
      (n % 2 === 0 ? durable : transient).s({ n }, { id: randomUUID() }),
    );
    const accepted = await world.client.enqueueMany(signatures);
    assert.deepEqual(
      accepted.map(({ id }) => id),
      signatures.map(({ options }) => options.id),
    );
    await eventually('all are queued', async () => {
      const statuses = await world.inspector.statuses(accepted.map(({ id }) => id));
      return statuses.every(({ state }) => state === 'pending');
    });
  });

  test('that puts a task off moves its expiry in the queue too', async () => {
    const options = { dedupeKey: randomUUID(), debounceMs: 60_000 };
    const { id } = await world.client.applyAsync(
      durable,
      { n: 1 },
      { ...options, expiresMs: 90_000 },
    );
    await jobOf(id);
    await world.client.applyAsync(durable, { n: 2 }, { ...options, expiresMs: 300_000 });
    await eventually(
      'it expires later',
      async () => (await jobOf(id)).job!.expiresAtMs! > Date.now() + 200_000,
    );
    assert.equal((await jobOf(id)).state, 'scheduled');
  });

  test('with a key, of many, costs the others nothing when it is refused', async () => {
    const keyed = { userId: randomUUID(), idempotencyKey: 'k' };
    const keys = Array.from({ length: 6 }, () => randomUUID());
    const signatures = [
      durable.s({ n: 1 }, keyed),
      durable.s({ n: 2 }, keyed),
      ...keys.map((dedupeKey) => durable.s({ n: 3 }, { dedupeKey })),
    ];
    assert.equal(await codeOf(world.client.enqueueMany(signatures)), 'IDEMPOTENCY_KEY_REUSED');
    const again = await world.client.enqueueMany(signatures.toSpliced(1, 1));
    assert.deepEqual(
      again.map(({ outcome }) => outcome),
      ['repeated', ...keys.map(() => 'unfinished')],
    );
  });

  test('twice in one call of many is one task', async () => {
    const id = randomUUID();
    const signatures = [durable.s({ n: 1 }, { id }), durable.s({ n: 1 }, { id })];
    const accepted = await world.client.enqueueMany(signatures);
    assert.deepEqual(
      accepted.map(({ outcome }) => outcome),
      ['created', 'repeated'],
    );
  });
});

const cyclic: Record<string, unknown> = { n: 1 };
cyclic['itself'] = cyclic;
const call = (payload: unknown, options: object = {}): Signature => ({
  task: durable,
  payload,
  options,
});
const unregistered = defineTask({ ...durable, name: 'test.unregistered' });

const REFUSED: [name: string, code: string, signature: Signature, message?: RegExp][] = [
  ['a payload of another shape', 'TASK_PAYLOAD_INVALID', call({ n: 'one' })],
  ['no payload', 'TASK_PAYLOAD_INVALID', call(undefined)],
  ['a payload that refers to itself', 'TASK_PAYLOAD_INVALID', call(cyclic)],
  ['a payload JSON has no words for', 'TASK_PAYLOAD_INVALID', call({ n: 1, big: 1n })],
  ['2 MiB', 'TASK_PAYLOAD_TOO_LARGE', call({ n: 1, text: 'x'.repeat(2 * 1024 * 1024) })],
  ['a task nobody registered', 'TASK_UNKNOWN', unregistered.s({ n: 1 })],
  ['an unknown queue', 'QUEUE_UNKNOWN', call({ n: 1 }, { queue: 'servd' }), /mean served\?/],
  ['a misspelt option', 'TASK_OPTION_INVALID', call({ n: 1 }, { countDownMs: 1 }), /countdownMs\?/],
  ['a negative delay', 'TASK_OPTION_INVALID', call({ n: 1 }, { countdownMs: -1 })],
  ['priority 11', 'TASK_OPTION_INVALID', call({ n: 1 }, { priority: 11 }), /from 0 to 9/],
  ['an id that is none', 'TASK_OPTION_INVALID', call({ n: 1 }, { id: 'x' }), /UUID/],
  ['a time that is none', 'TASK_OPTION_INVALID', call({ n: 1 }, { eta: new Date(NaN) })],
  ['two times', 'TASK_OPTION_INVALID', call({ n: 1 }, { eta: new Date(), countdownMs: 1 })],
  ['headers that are no texts', 'TASK_OPTION_INVALID', call({ n: 1 }, { headers: { a: 1 } })],
  ['a debounce of nothing', 'TASK_OPTION_INVALID', call({ n: 1 }, { debounceMs: 5 }), /dedupeKey/],
  [
    'a key for a task that is not durable',
    'TASK_OPTION_INVALID',
    { ...call({ n: 1 }, { dedupeKey: 'k' }), task: transient },
  ],
];

describe('refused, with nothing written, is', () => {
  for (const [name, code, signature, message] of REFUSED) {
    test(name, async () => {
      const before = [await rows(), await world.inspector.overview()];
      const good = durable.s({ n: 1 }, { id: randomUUID() });
      const error = await world.client
        .enqueueMany([good, signature])
        .catch((cause: unknown) => cause);
      assert.ok(error instanceof AppError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message ?? /./);
      assert.deepEqual([await rows(), await world.inspector.overview()], before);
    });
  }
});

describe('a result', () => {
  test('of an id nobody knows is an error, not a wait', async () => {
    const result = world.client.result(randomUUID());
    assert.equal(await codeOf(result.status()), 'TASK_NOT_FOUND');
    assert.equal(await codeOf(result.get({ timeoutMs: NEVER_MS })), 'TASK_NOT_FOUND');
  });

  test('that does not come in time says so', async () => {
    for (const task of [durable, transient]) {
      const { id } = await world.client.delay(task, { n: 1 });
      const result = world.client.result(id, task);
      assert.equal((await result.status()).status, 'queued');
      assert.equal(await codeOf(result.get({ timeoutMs: 50 })), 'TASK_TIMEOUT');
    }
  });
});

describe('revoking', () => {
  for (const task of [durable, transient]) {
    test(`ends a waiting task for good, once (durable: ${task.durable})`, async () => {
      const { id } = await world.client.delay(task, { n: 1 });
      await jobOf(id);
      const waiting = codeOf(world.client.result(id).get({ timeoutMs: NEVER_MS }));
      assert.equal(await world.client.revoke(id), 'revoked');
      assert.equal(await world.client.revoke(id), 'ended');
      assert.equal(await waiting, 'TASK_REVOKED');
      await eventually('the queue heard', async () => (await jobOf(id)).state === 'revoked');
    });
  }

  test('an unknown task says so', async () => {
    assert.equal(await world.client.revoke(randomUUID()), 'unknown');
  });

  test('of a durable task holds though the queue is away', async (t) => {
    const { id } = await world.client.delay(durable, { n: 1 });
    await jobOf(id);
    t.mock.method(Control.prototype, 'revoke', async () => Promise.reject(new Error('away')));
    assert.equal(await world.client.revoke(id), 'revoked');
    await eventually('it was told', () => world.deferred.includes(id));
    assert.equal((await world.client.find(id))?.error_code, 'TASK_REVOKED');
  });
});
