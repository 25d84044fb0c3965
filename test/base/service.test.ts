import assert from 'node:assert/strict';
import { setImmediate, setTimeout as after } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { Loop, startAll, stopAll, type LoopOptions, type Service } from '../../base/service.ts';

/** Long enough that a test which waits for it has failed. */
const NEVER_MS = 3_600_000;

interface Signal {
  promise: Promise<void>;
  resolve: () => void;
}

/** A loop that counts its rounds; `round(n)` resolves when the nth has begun. */
function counted(tick: (round: number, signal: AbortSignal) => number | Promise<number>) {
  const begun: Signal[] = [];
  const errors: unknown[] = [];
  const at = (round: number) => (begun[round - 1] ??= newSignal());
  let rounds = 0;
  const options: LoopOptions = {
    name: 'counted',
    random: () => 0,
    onError: (error) => errors.push(error),
    tick: async (stopping) => {
      at(++rounds).resolve();
      return tick(rounds, stopping);
    },
  };
  return { options, errors, rounds: () => rounds, round: (n: number) => at(n).promise };
}

function newSignal(): Signal {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe('a loop', () => {
  test('runs its first round at once and goes on while a round asks for no sleep', async () => {
    const { options, round, rounds } = counted((n) => (n < 3 ? 0 : NEVER_MS));
    const loop = new Loop(options);
    await loop.start();
    await round(3);
    await loop.stop();
    assert.equal(rounds(), 3);
  });

  test('sleeps as long as the round asked for', async () => {
    const { options, round } = counted((n) => (n === 1 ? 40 : NEVER_MS));
    const loop = new Loop(options);
    await loop.start();
    const beganMs = performance.now();
    await round(2);
    const tookMs = performance.now() - beganMs;
    await loop.stop();
    assert.ok(tookMs >= 35, `${tookMs} ms`);
  });

  test('is woken from its sleep', async () => {
    const { options, round } = counted(() => NEVER_MS);
    const loop = new Loop(options);
    await loop.start();
    await round(1);
    await setImmediate();
    loop.wake();
    await round(2);
    await loop.stop();
  });

  test('skips the next sleep when it is woken during a round, and only that one', async () => {
    const { options, round, rounds } = counted((n) => {
      if (n === 1) loop.wake();
      return NEVER_MS;
    });
    const loop = new Loop(options);
    await loop.start();
    await round(2);
    await after(20);
    await loop.stop();
    assert.equal(rounds(), 2);
  });

  test('tells of a failed round, waits, and goes on', async () => {
    const { options, round, errors } = counted((n) => {
      if (n === 1) throw new Error('first');
      return NEVER_MS;
    });
    const loop = new Loop(options);
    const beganMs = performance.now();
    await loop.start();
    await round(2);
    const tookMs = performance.now() - beganMs;
    await loop.stop();
    assert.deepEqual(
      errors.map((error) => (error as Error).message),
      ['first'],
    );
    assert.ok(tookMs >= 95, `${tookMs} ms`);
  });

  test('doubles the pause between failures, up to its limit, and forgets them after a success', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { options, round, rounds } = counted((n) => {
      if (n === 5) return NEVER_MS;
      throw new Error(`round ${n}`);
    });
    const loop = new Loop({ ...options, maxErrorDelayMs: 250 });
    await loop.start();
    for (const [at, pauseMs] of [100, 200, 250, 250].entries()) {
      await round(at + 1);
      await setImmediate();
      t.mock.timers.tick(pauseMs - 1);
      await setImmediate();
      assert.equal(rounds(), at + 1, `no round before ${pauseMs} ms`);
      t.mock.timers.tick(1);
      await round(at + 2);
    }
    loop.wake();
    await round(6);
    await setImmediate();
    t.mock.timers.tick(99);
    await setImmediate();
    assert.equal(rounds(), 6);
    t.mock.timers.tick(1);
    await round(7);
    await loop.stop();
  });

  test('sleeps on when a round asks for more than a timer can wait', async () => {
    const { options, round, rounds } = counted(() => 2 ** 31 * 2);
    const loop = new Loop(options);
    await loop.start();
    await round(1);
    await after(20);
    await loop.stop();
    assert.equal(rounds(), 1);
  });

  test('lets others have their turn though its rounds wait for nothing', async () => {
    const { options } = counted(() => 0);
    const loop = new Loop(options);
    await loop.start();
    await after(5);
    await loop.stop();
  });

  test('ends its sleep when it is stopped', async () => {
    const { options, round, rounds } = counted(() => NEVER_MS);
    const loop = new Loop(options);
    await loop.start();
    await round(1);
    await setImmediate();
    await loop.stop();
    assert.equal(rounds(), 1);
  });

  test('aborts a round when it is stopped, waits for it and takes its failure for the answer', async () => {
    let ended = false;
    const { options, round, errors } = counted(async (_, signal) => {
      await after(NEVER_MS, undefined, { signal }).finally(() => (ended = true));
      return 0;
    });
    const loop = new Loop(options);
    await loop.start();
    await round(1);
    await loop.stop();
    assert.equal(ended, true);
    assert.deepEqual(errors, []);
  });

  test('may be stopped before it starts, and twice', async () => {
    const { options, rounds } = counted(() => 0);
    const loop = new Loop(options);
    await loop.stop();
    await loop.start();
    await loop.stop();
    await loop.stop();
    assert.equal(rounds(), 0);
  });

  test('started twice runs once', async () => {
    const { options, round, rounds } = counted(() => NEVER_MS);
    const loop = new Loop(options);
    await loop.start();
    await loop.start();
    await round(1);
    await after(10);
    await loop.stop();
    assert.equal(rounds(), 1);
  });
});

describe('services together', () => {
  function recorded(diary: string[], name: string, failing?: 'start' | 'stop') {
    const act = async (deed: 'start' | 'stop') => {
      diary.push(`${deed} ${name}`);
      if (deed === failing) throw new Error(`${deed} of ${name} failed`);
    };
    return { name, start: () => act('start'), stop: () => act('stop') } satisfies Service;
  }

  test('start in order and stop in reverse', async () => {
    const diary: string[] = [];
    const services = ['a', 'b'].map((name) => recorded(diary, name));
    await startAll(services);
    await stopAll(services);
    assert.deepEqual(diary, ['start a', 'start b', 'stop b', 'stop a']);
  });

  test('are stopped again when one fails to start, and its error is what is thrown', async () => {
    const diary: string[] = [];
    const services = [
      recorded(diary, 'a', 'stop'),
      recorded(diary, 'b'),
      recorded(diary, 'c', 'start'),
      recorded(diary, 'd'),
    ];
    await assert.rejects(startAll(services), { message: 'start of c failed' });
    assert.deepEqual(diary, ['start a', 'start b', 'start c', 'stop b', 'stop a']);
  });

  test('are all asked to stop though one fails, and all failures are thrown together', async () => {
    const diary: string[] = [];
    const services = [
      recorded(diary, 'a', 'stop'),
      recorded(diary, 'b'),
      recorded(diary, 'c', 'stop'),
    ];
    await assert.rejects(stopAll(services), (error: AggregateError) => {
      const messages = error.errors.map((inner: Error) => inner.message);
      assert.deepEqual(messages, ['stop of c failed', 'stop of a failed']);
      return true;
    });
    assert.deepEqual(diary, ['stop c', 'stop b', 'stop a']);
  });
});
