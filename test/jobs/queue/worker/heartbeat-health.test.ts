import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeartbeatHealth } from '../../../../jobs/queue/worker/heartbeat-health.ts';

test('a shard is as healthy as its heartbeats are long without a gap', () => {
  const health = new HeartbeatHealth(100);
  assert.equal(health.healthyMs(0), 0, 'before the first');
  for (let ms = 10; ms <= 160; ms += 30) health.beat(ms);
  assert.equal(health.healthyMs(170), 160);
});

test('a failure on the shard begins it anew', () => {
  const health = new HeartbeatHealth(100);
  health.beat(0);
  health.beat(50);
  health.miss();
  assert.equal(health.healthyMs(60), 0);
  health.beat(80);
  assert.equal(health.healthyMs(100), 20);
});

test('so does a gap of more than a lease, whether or not a heartbeat has come since', () => {
  const health = new HeartbeatHealth(100);
  health.beat(0);
  assert.equal(health.healthyMs(100), 100);
  assert.equal(health.healthyMs(101), 0);
  health.beat(150);
  assert.equal(health.healthyMs(150), 0);
  assert.equal(health.healthyMs(200), 50);
});
