import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pulse } from '../../../../jobs/queue/worker/pulse.ts';

test('a pulse is as healthy as its heartbeats are long without a gap', () => {
  const pulse = new Pulse(100);
  assert.equal(pulse.healthyMs(0), 0, 'before the first');
  for (let ms = 10; ms <= 160; ms += 30) pulse.beat(ms);
  assert.equal(pulse.healthyMs(170), 160);
});

test('a failure on the shard begins it anew', () => {
  const pulse = new Pulse(100);
  pulse.beat(0);
  pulse.beat(50);
  pulse.miss();
  assert.equal(pulse.healthyMs(60), 0);
  pulse.beat(80);
  assert.equal(pulse.healthyMs(100), 20);
});

test('so does a gap of more than a lease, whether or not a heartbeat has come since', () => {
  const pulse = new Pulse(100);
  pulse.beat(0);
  assert.equal(pulse.healthyMs(100), 100);
  assert.equal(pulse.healthyMs(101), 0);
  pulse.beat(150);
  assert.equal(pulse.healthyMs(150), 0);
  assert.equal(pulse.healthyMs(200), 50);
});
