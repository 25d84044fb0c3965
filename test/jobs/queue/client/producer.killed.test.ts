import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inspector, Producer } from '../../../../jobs/queue/index.ts';
import { eventually, startConsumer } from '../../../support/queue/consumers.ts';
import { redisUrl, request, testQueue, uuid } from '../../../support/queue/scripts.ts';
import type { ProducerOptions } from '../../../support/queue/producer.ts';
import { forkProgram } from '../../../support/threads/worker-processes.ts';

const JOBS = 2000;
/** The producer stops dead after so many: in the middle, as at most 300 more are on their way. */
const ANSWERED = 1000;

test('of a producer killed in the middle of a batch, sent again whole, no job is lost and none is doubled', async (t) => {
  const queue = testQueue(t);
  const names = Array.from({ length: JOBS }, (_, i) => `k${i}`);
  const options: ProducerOptions = {
    url: redisUrl(),
    prefix: queue.prefix,
    names,
    answered: ANSWERED,
  };
  const { child, exited } = forkProgram(t, 'queue/producer', options);
  const line = queue.broker.key(0, 'wait:main:5');
  const added = async () => queue.redis.llen(line);
  await eventually('half were added', async () => (await added()) >= ANSWERED);
  child.kill('SIGKILL');
  await exited;
  const producer = new Producer(queue.broker);
  const outcomes = await Promise.all(names.map((name) => producer.enqueue(request(name))));
  const existed = outcomes.filter((outcome) => outcome === 'exists').length;
  assert.ok(existed >= ANSWERED && existed < JOBS, `it was killed after ${existed}`);
  const waiting = await queue.redis.lrange(line, 0, -1);
  assert.deepEqual(waiting.toSorted(), names.map(uuid).toSorted(), 'each waits once');
  const worker = await startConsumer(queue, { limit: 100, settle: true });
  await worker.until(JOBS);
  await worker.consumer.drain();
  assert.equal(new Set(worker.names()).size, JOBS, 'each ran');
  assert.equal(worker.delivered.length, JOBS, 'once');
  assert.equal((await new Inspector(queue.broker).overview()).done, JOBS);
});
