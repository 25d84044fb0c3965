import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Stall } from '../../../../jobs/queue/index.ts';

/** One timer under a clock of our own: the timers that `node:test` mocks do nothing when they are refreshed. */
class Timer {
  static nowMs = 0;
  static readonly running = new Set<Timer>();
  #atMs = 0;
  readonly #delayMs: number;
  readonly #fire: () => void;

  constructor(fire: () => void, delayMs: number) {
    this.#fire = fire;
    this.#delayMs = delayMs;
    this.refresh();
  }

  refresh(): void {
    this.#atMs = Timer.nowMs + this.#delayMs;
    Timer.running.add(this);
  }

  static pass(ms: number): void {
    Timer.nowMs += ms;
    for (const timer of Timer.running) {
      if (timer.#atMs > Timer.nowMs) continue;
      Timer.running.delete(timer);
      timer.#fire();
    }
  }
}

function startStall(t: TestContext) {
  const start = (fire: () => void, delayMs: number): Timer => new Timer(fire, delayMs);
  t.mock.method(globalThis, 'setTimeout', start as unknown as typeof setTimeout);
  const clear = (timer: unknown): void => void Timer.running.delete(timer as Timer);
  t.mock.method(globalThis, 'clearTimeout', clear);
  const seen = { stalls: 0 };
  const stall = new Stall(() => seen.stalls++);
  return { stall, seen, pass: Timer.pass };
}

test('jobs that wait while none ends are told of once, after 50 ms', (t) => {
  const { stall, seen, pass } = startStall(t);
  stall.watch(true, false);
  pass(49);
  assert.equal(seen.stalls, 0);
  pass(1);
  assert.equal(seen.stalls, 1);
  pass(1000);
  assert.equal(seen.stalls, 1);
});

test('more that come to wait do not begin the 50 ms anew', (t) => {
  const { stall, seen, pass } = startStall(t);
  stall.watch(true, false);
  pass(40);
  stall.watch(true, false);
  pass(10);
  assert.equal(seen.stalls, 1);
});

test('jobs that no longer wait are no stall', (t) => {
  const { stall, seen, pass } = startStall(t);
  stall.watch(true, false);
  pass(40);
  stall.watch(false, true);
  pass(1000);
  assert.equal(seen.stalls, 0);
  stall.watch(true, false);
  pass(49);
  assert.equal(seen.stalls, 0, 'the 50 ms begin with the next that waits');
  pass(1);
  assert.equal(seen.stalls, 1);
});

test('after a stall the next is told of too', (t) => {
  const { stall, seen, pass } = startStall(t);
  stall.watch(true, false);
  pass(50);
  stall.watch(true, false);
  pass(50);
  assert.equal(seen.stalls, 2);
});

test('nothing that waits is no stall, whatever ends', (t) => {
  const { stall, seen, pass } = startStall(t);
  stall.watch(false, false);
  stall.watch(false, true);
  pass(1000);
  assert.equal(seen.stalls, 0);
});

test('each end begins the 50 ms anew', (t) => {
  const { stall, seen, pass } = startStall(t);
  stall.watch(true, false);
  for (let turn = 0; turn < 10; turn++) {
    pass(40);
    stall.watch(true, true);
  }
  assert.equal(seen.stalls, 0);
  pass(50);
  assert.equal(seen.stalls, 1);
});
