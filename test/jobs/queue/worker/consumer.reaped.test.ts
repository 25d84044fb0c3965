/**
 * A worker that was reaped, and begins anew under its id: what it had yet to say of its old leases is not said of new ones.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inspector } from '../../../../jobs/queue/index.ts';
import { eventually, startConsumer } from '../../../support/queue/consumers.ts';
import { lossyBroker } from '../../../support/queue/lossy-broker.ts';
import { request, testQueue, uuid } from '../../../support/queue/scripts.ts';

test('a settlement of before does not act on the job that was claimed again', async (t) => {
  const queue = testQueue(t);
  await queue.broker.open();
  const broker = lossyBroker(queue);
  const worker = await startConsumer(queue, { leaseMs: 900, limit: 5 }, broker);
  await queue.broker.enqueue(0, [request('a'), request('b')]);
  await worker.until(2);
  let open = (): void => undefined;
  broker.gate = new Promise<void>((resolve) => (open = resolve));
  const rounds = broker.sent.length;
  worker.consumer.settle(uuid('a'), { kind: 'succeeded', result: '1' });
  await eventually('a round is on its way', () => broker.sent.length > rounds);
  worker.consumer.settle(uuid('b'), { kind: 'back', delayMs: 60_000 });
  // What a reaper does.
  await queue.broker.leave(0, worker.consumer.id);
  const workers = queue.broker.key(0, 'workers');
  await eventually('it has begun anew', async () => (await queue.redis.zcard(workers)) === 1);
  broker.gate = undefined;
  open();
  await eventually('b is claimed again', () => worker.names().slice(2).includes('@b'));
  // The round after the one that claimed it.
  const sent = broker.sent.length;
  worker.consumer.limit = 6;
  await eventually('another round', () => broker.sent.length > sent);
  await broker.renew(0, worker.consumer.id, 60_000);
  const { state } = await new Inspector(queue.broker).status(uuid('b'));
  assert.equal(state, 'active');
});
