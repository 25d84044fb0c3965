/**
 * What the compiler refuses, and that it is refused at run time as well: every `@ts-expect-error` here fails the build when
 * the line below it compiles.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durable, testClient, transient } from '../../support/client.ts';

const world = testClient();

test('a payload that does not fit the schema of its task', async () => {
  const calls = [
    // @ts-expect-error a text is no number
    () => world.client.delay(durable, { n: 'one' }),
    // @ts-expect-error a name that is none
    () => world.client.delay(transient, { m: 1 }),
    // @ts-expect-error nothing is no payload
    () => world.client.applyAsync(durable, undefined),
    // @ts-expect-error in a signature too
    () => world.client.enqueueMany([durable.s({ n: 'one' })]),
  ];
  for (const call of calls) await assert.rejects(call(), { code: 'TASK_PAYLOAD_INVALID' });
});

test('an option that is none, or that only durable tasks have', async () => {
  const calls = [
    // @ts-expect-error misspelt
    () => world.client.applyAsync(durable, { n: 1 }, { countDownMs: 5 }),
    // @ts-expect-error a text is no number
    () => world.client.applyAsync(durable, { n: 1 }, { priority: 'high' }),
    // @ts-expect-error only durable tasks have it
    () => world.client.applyAsync(transient, { n: 1 }, { dedupeKey: 'once' }),
    // @ts-expect-error in a signature too
    () => world.client.enqueueMany([transient.s({ n: 1 }, { dedupeKey: 'once' })]),
  ];
  for (const call of calls) await assert.rejects(call(), { code: 'TASK_OPTION_INVALID' });
});

test('the result of a task has its type', async () => {
  const { id } = await world.client.delay(durable, { n: 1 });
  const typed = async (): Promise<string> => {
    // @ts-expect-error it is a number
    return world.client.result(id, durable).get({ timeoutMs: 1 });
  };
  await assert.rejects(typed(), { code: 'TASK_TIMEOUT' });
});
