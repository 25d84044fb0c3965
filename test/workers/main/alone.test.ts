import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { Alone } from '../../../workers/main/alone.ts';
import { delivery } from '../../support/queue/delivery.ts';

/**
 * Suspects whose marks Redis confirms when a test says so.
 * @param thread resolves with whether there is a thread. Default: there is one.
 */
function open(thread = Promise.resolve(true)) {
  const marks: (() => void)[] = [];
  const settled: string[] = [];
  const ran: string[] = [];
  const alone = new Alone(
    {
      mark: () => new Promise((resolve) => marks.push(() => resolve(true))),
      settle: (id) => void settled.push(id),
    },
    1,
    { ready: () => thread, run: ({ job }) => void ran.push(job.id) },
  );
  const add = (id: string): void => alone.add(delivery({ id, mark: 's' }));
  const confirm = async (): Promise<void> => {
    await setImmediate();
    marks.shift()!();
    await setImmediate();
  };
  return { alone, add, confirm, marks, ran, settled };
}

test('a suspect whose lease is lost while Redis is told of its run does not start, and the next one does', async () => {
  const { alone, add, confirm, ran, settled } = open();
  add('lost');
  add('next');
  alone.drop(['lost']);
  await confirm();
  assert.deepEqual([ran, settled], [[], []]);
  await confirm();
  assert.deepEqual(ran, ['next']);
});

test('a suspect that waits while its worker stops goes back', async () => {
  const { alone, add, confirm, ran, settled } = open();
  add('marked');
  add('waiting');
  alone.giveBack();
  await confirm();
  assert.deepEqual([ran, settled], [[], ['waiting', 'marked']]);
});

test('no suspect counts as running while its thread is still being started', async () => {
  let start = (_isLoaded: boolean): void => undefined;
  const thread = new Promise<boolean>((resolve) => (start = resolve));
  const { add, confirm, marks, ran } = open(thread);
  add('suspect');
  await setImmediate();
  assert.deepEqual([marks.length, ran], [0, []]);
  start(true);
  await confirm();
  assert.deepEqual(ran, ['suspect']);
});
