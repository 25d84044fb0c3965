import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Watchdog } from '../../base/watchdog.ts';
import { eventually } from '../support/queue/consumers.ts';

const PATIENCE_MS = 1500;

/** A watchdog of work that a test stops, and of a store it takes away. */
async function open(t: TestContext) {
  const state = { silentMs: 0, isAway: false, pings: 0 };
  const ping = async (): Promise<void> => {
    state.pings++;
    if (state.isAway) throw new Error('away');
  };
  const watchdog = new Watchdog({ silentMs: () => state.silentMs, ping }, PATIENCE_MS);
  t.after(() => watchdog.stop());
  await watchdog.start();
  return { state, watchdog };
}

test('work that stops while its store answers is stuck after a while, and not before', async (t) => {
  const { state, watchdog } = await open(t);
  assert.deepEqual([watchdog.isWorking, watchdog.isStuck], [true, false]);
  await eventually('the store has answered', () => state.pings > 0);
  state.silentMs = PATIENCE_MS + 1;
  assert.deepEqual([watchdog.isWorking, watchdog.isStuck], [false, false]);
  await eventually('it is stuck', () => watchdog.isStuck);
  state.silentMs = 0;
  assert.deepEqual([watchdog.isWorking, watchdog.isStuck], [true, false]);
});

test('work that stops with its store is not stuck, nor is it as soon as the store is back', async (t) => {
  const { state, watchdog } = await open(t);
  state.isAway = true;
  state.silentMs = 3 * PATIENCE_MS;
  await eventually('it has asked for longer than its patience', () => state.pings > 3);
  assert.deepEqual([watchdog.isWorking, watchdog.isStuck], [false, false]);
  state.isAway = false;
  const { pings } = state;
  await eventually('the store has answered', () => state.pings > pings);
  assert.equal(watchdog.isStuck, false);
});
