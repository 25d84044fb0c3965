/**
 * One odd text or id fails its own call, and nobody else's.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { Type } from 'typebox';
import { AppError } from '../../../../base/errors.ts';
import { defineTask } from '../../../../jobs/framework/define.ts';
import type { DurableCallOptions } from '../../../../jobs/framework/options.ts';
import { Control, MAX_DURATION_MS } from '../../../../jobs/queue/index.ts';
import { durable, testClient, transient } from '../../../support/client.ts';
import { HANG_MS } from '../../../support/patience.ts';

const world = testClient();

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

const ODD = { 'a NUL': 'a\0b', 'half a surrogate pair': 'a\ud83d', 'the other half': '\ude00b' };

describe('an option with', () => {
  const user = { userId: 'u' };
  for (const [name, text] of Object.entries(ODD)) {
    const calls: Record<string, DurableCallOptions> = {
      header: { headers: { a: text } },
      'name of a header': { headers: { [text]: 'a' } },
      'dedupe key': { dedupeKey: text },
      'idempotency key': { ...user, idempotencyKey: text },
      'keyed request': { ...user, idempotencyKey: 'k', keyedRequest: text },
      'input hash': { inputHash: text },
      subject: { subject: text },
      'user id': { userId: text },
    };
    for (const [option, options] of Object.entries(calls)) {
      test(`${name} in the ${option} is refused before anything is written`, async () => {
        assert.equal(
          await codeOf(world.client.enqueue(durable, { n: 1 }, options)),
          'TASK_OPTION_INVALID',
        );
      });
    }
    test(`${name} in a header of a transient task is refused`, async () => {
      const options = { headers: { a: text } };
      assert.equal(
        await codeOf(world.client.enqueue(transient, { n: 1 }, options)),
        'TASK_OPTION_INVALID',
      );
    });
  }
});

describe('a payload with', () => {
  const payload = Type.Record(Type.String(), Type.String());
  // The client knows a task of this name; only its schema differs.
  const wordy = defineTask({
    name: durable.name,
    payload,
    result: Type.Null(),
    run: async () => null,
  });
  for (const [name, text] of Object.entries(ODD)) {
    for (const [where, odd] of [
      ['a value', { a: text }],
      ['a key', { [text]: 'a' }],
    ] as const) {
      test(`${name} in ${where} is refused`, async () => {
        assert.equal(await codeOf(world.client.enqueue(wordy, odd)), 'TASK_PAYLOAD_INVALID');
      });
    }
  }

  test('what only looks like that is accepted', async () => {
    const fine = { '\\u0000': String.raw`\ud83d \\u0000`, a: '\ud83d\ude00 \u0001' };
    assert.equal(await codeOf(world.client.enqueue(wordy, fine)), 'accepted');
  });
});

describe('an eta', () => {
  for (const [name, eta] of [
    ['beyond 100 years', new Date(Date.now() + 2 * MAX_DURATION_MS)],
    ['at the end of time', new Date(8.64e15)],
    ['before all time', new Date(-8.64e15)],
    ['at no time', new Date(Number.NaN)],
  ] as const) {
    for (const task of [durable, transient]) {
      test(`${name} is refused for a ${task.durable ? 'durable' : 'transient'} task`, async () => {
        assert.equal(
          await codeOf(world.client.enqueue(task, { n: 1 }, { eta })),
          'TASK_OPTION_INVALID',
        );
      });
    }
  }

  test('in the past is now', async () => {
    assert.equal(
      await codeOf(world.client.enqueue(durable, { n: 1 }, { eta: new Date(0) })),
      'accepted',
    );
  });
});

describe('an id', () => {
  const NO_ID = [
    'not-an-id',
    '',
    '\0',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    'x'.repeat(100_000),
  ];
  for (const id of NO_ID) {
    test(`${JSON.stringify(id.slice(0, 40))} is found nowhere, and blinds no other waiter`, async () => {
      const { client } = world;
      const other = await client.enqueue(durable, { n: 1 }, { countdownMs: 3_600_000 });
      const ended = client.result(other.id).get({ timeoutMs: HANG_MS });
      const odd = client.result(id).get({ timeoutMs: HANG_MS });
      assert.equal(await codeOf(odd), 'TASK_NOT_FOUND');
      assert.equal(await codeOf(client.result(id).status()), 'TASK_NOT_FOUND');
      assert.equal(await client.find(id), undefined);
      assert.equal(await client.revoke(id), 'unknown');
      await client.waitUntilFinished(id, HANG_MS);
      await client.revoke(other.id);
      assert.equal(await codeOf(ended), 'TASK_REVOKED');
    });
  }

  for (const task of [durable, transient]) {
    test(`in capitals is that of the ${task.durable ? 'durable' : 'transient'} task`, async () => {
      const { client } = world;
      const id = randomUUID();
      await client.enqueue(task, { n: 1 }, { id, countdownMs: 3_600_000 });
      const capitals = id.toUpperCase();
      assert.equal((await client.result(capitals).status()).id, id);
      const ended = client.result(capitals).get({ timeoutMs: HANG_MS });
      assert.notEqual(await client.revoke(capitals), 'unknown');
      assert.equal(await codeOf(ended), 'TASK_REVOKED');
    });
  }

  test('whose record cannot be read blinds no other waiter', async () => {
    const { client, broker, redis } = world;
    const odd = randomUUID();
    await redis.client.hset(broker.key(0, 'jobs'), odd, 'f1{no json\n');
    const other = await client.enqueue(transient, { n: 1 }, { countdownMs: 3_600_000 });
    const waits = client.result(odd).get({ timeoutMs: HANG_MS });
    const ended = client.result(other.id).get({ timeoutMs: HANG_MS });
    assert.equal(await codeOf(waits), 'TASK_FAILED');
    await new Control(broker).revoke([other.id]);
    assert.equal(await codeOf(ended), 'TASK_REVOKED');
  });

  test('that is waited for without an end is waited for', async () => {
    const { client } = world;
    const { id } = await client.enqueue(durable, { n: 1 }, { countdownMs: 3_600_000 });
    const ended = client.result(id).get({ timeoutMs: Infinity });
    const soon = new AbortController();
    const first = await Promise.race([
      ended.catch((error: AppError) => error.code),
      client.waitUntilFinished(id, 50, soon.signal),
    ]);
    assert.equal(first, undefined);
    await client.revoke(id);
    assert.equal(await codeOf(ended), 'TASK_REVOKED');
  });
});
