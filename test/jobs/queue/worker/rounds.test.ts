import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { QueueError } from '../../../../jobs/queue/index.ts';
import { Rounds } from '../../../../jobs/queue/worker/rounds.ts';
import type { StepCall, StepReply } from '../../../../jobs/queue/broker/step.ts';

type Lost = 'REDIS_UNAVAILABLE' | 'WORKER_UNKNOWN' | 'STALE';

/** Rounds whose answers a test gives. */
function puppetRounds() {
  const open = new Map<number, { answer: () => void; lose: (code: Lost) => void }>();
  const sent: number[] = [];
  const abandoned: number[] = [];
  const failures: unknown[] = [];
  const state = { pressed: true };
  const wanted = new Map<number, () => boolean>();
  const rounds = new Rounds({
    compose: (seq) => ({ seq, free: 1 }) as StepCall,
    isPressed: () => state.pressed,
    answered: () => undefined,
    failed: (error) => void failures.push(error),
    abandoned: ({ seq }) => void abandoned.push(seq),
    send: (call, isWanted) => {
      sent.push(call.seq);
      wanted.set(call.seq, isWanted);
      return new Promise<StepReply>((resolve, reject) => {
        open.set(call.seq, {
          answer: () => resolve({} as StepReply),
          lose: (code) => reject(new QueueError(code)),
        });
      });
    },
  });
  const settle = async (seq: number, how: 'answer' | Lost) => {
    if (how === 'answer') open.get(seq)!.answer();
    else open.get(seq)!.lose(how);
    await setImmediate();
  };
  const want = async () => {
    rounds.want();
    await setImmediate();
  };
  return { rounds, sent, failures, abandoned, state, settle, want, wanted };
}

test('a second round is sent beside the first only under pressure, and never a third', async () => {
  const { sent, state, settle, want } = puppetRounds();
  state.pressed = false;
  await want();
  await want();
  assert.deepEqual(sent, [1]);
  state.pressed = true;
  await want();
  await want();
  assert.deepEqual(sent, [1, 2]);
  await settle(2, 'answer');
  assert.deepEqual(sent, [1, 2, 3]);
});

test('an unanswered round is sent again with its number before any new one', async () => {
  const { sent, failures, state, settle, want } = puppetRounds();
  await want();
  await want();
  await settle(1, 'REDIS_UNAVAILABLE');
  await settle(2, 'answer');
  assert.equal(failures.length, 1);
  assert.deepEqual(sent, [1, 2]);
  state.pressed = false;
  await want();
  assert.deepEqual(sent, [1, 2, 1]);
  await settle(1, 'answer');
  await want();
  assert.deepEqual(sent, [1, 2, 1, 3]);
});

test('a round on its way when its worker was forgotten is wanted no more, and not kept when it fails', async () => {
  const { rounds, sent, settle, want, wanted } = puppetRounds();
  await want();
  assert.equal(wanted.get(1)!(), true);
  rounds.forget();
  assert.equal(wanted.get(1)!(), false);
  await settle(1, 'REDIS_UNAVAILABLE');
  await want();
  assert.deepEqual(sent, [1, 2]);
  assert.equal(wanted.get(2)!(), true);
});

test('a worker that is unknown sends no old round again', async () => {
  const { sent, failures, settle, want } = puppetRounds();
  await want();
  await want();
  await settle(1, 'WORKER_UNKNOWN');
  await settle(2, 'WORKER_UNKNOWN');
  await want();
  assert.equal(failures.length, 2);
  assert.deepEqual(sent, [1, 2, 3]);
});

test('what must run alone waits for every answer, lost ones included, and holds up new rounds', async () => {
  const { rounds, sent, settle, want } = puppetRounds();
  const done: string[] = [];
  let finish = (): void => undefined;
  const work = (): Promise<void> => {
    done.push('begun');
    return new Promise((resolve) => (finish = resolve));
  };
  await want();
  await want();
  const alone = rounds.alone(work);
  await settle(2, 'answer');
  await settle(1, 'REDIS_UNAVAILABLE');
  assert.deepEqual(sent, [1, 2, 1]);
  await settle(1, 'REDIS_UNAVAILABLE');
  assert.equal(await alone, false, 'an answer is still owed');
  const again = rounds.alone(work);
  await setImmediate();
  assert.deepEqual(sent, [1, 2, 1, 1]);
  assert.deepEqual(done, []);
  await settle(1, 'answer');
  assert.deepEqual(done, ['begun']);
  await want();
  assert.deepEqual(sent, [1, 2, 1, 1], 'nothing is sent beside it');
  finish();
  await setImmediate();
  assert.deepEqual(sent, [1, 2, 1, 1, 3]);
  await settle(3, 'answer');
  assert.equal(await again, true);
});

test('whoever asked for work alone is told that it failed', async () => {
  const { rounds, failures, settle } = puppetRounds();
  const alone = rounds.alone(() => Promise.reject(new QueueError('REDIS_UNAVAILABLE')));
  await setImmediate();
  await settle(1, 'answer');
  assert.equal(await alone, false);
  assert.equal(failures.length, 1);
});

test('while one round waits for its answer, no other gets so far ahead that the script would forget it', async () => {
  const { sent, settle, want } = puppetRounds();
  await want();
  for (let seq = 2; seq <= 4; seq++) {
    await want();
    assert.equal(sent.at(-1), seq);
    await settle(seq, 'answer');
  }
  await want();
  assert.deepEqual(
    sent,
    [1, 2, 3, 4],
    'the answers of 1 to 4 are remembered, that of 1 not with 5',
  );
  await settle(1, 'answer');
  await want();
  assert.deepEqual(sent, [1, 2, 3, 4, 5, 6]);
});

test('nor while one that got no answer is sent again', async () => {
  const { sent, settle, want } = puppetRounds();
  await want();
  await want();
  await settle(1, 'REDIS_UNAVAILABLE');
  await settle(2, 'answer');
  await want();
  for (const seq of [3, 4]) {
    await want();
    await settle(seq, 'answer');
  }
  await want();
  assert.deepEqual(sent, [1, 2, 1, 3, 4]);
});

test('a round whose answer is forgotten is given up, and the next ones go on', async () => {
  const { sent, failures, abandoned, settle, want } = puppetRounds();
  await want();
  await settle(1, 'STALE');
  assert.deepEqual([failures.length, abandoned], [1, [1]]);
  await want();
  assert.deepEqual(sent, [1, 2]);
  await settle(2, 'answer');
});
