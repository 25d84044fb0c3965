import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classify, type QueueErrorCode } from '../../../../jobs/queue/broker/errors.ts';
import { eventually } from '../../../support/queue/consumers.ts';
import { ownRedis } from '../../../support/stores/own-redis.ts';
import { answer, request, testQueue } from '../../../support/queue/scripts.ts';

test('a replica and a Redis that evicts are refused; the master is taken', async (t) => {
  const { url } = await ownRedis(t);
  const queue = testQueue(t, { url });
  await queue.broker.open();
  await queue.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  assert.equal(await answer(queue.broker.open()), 'REDIS_UNSUITABLE');
  await queue.redis.config('SET', 'maxmemory-policy', 'noeviction');
  await queue.redis.replicaof('127.0.0.1', 1);
  assert.equal(await answer(queue.broker.open()), 'REDIS_UNSUITABLE');
  assert.equal(await answer(queue.broker.enqueue(0, [request('a')])), 'REDIS_UNAVAILABLE');
  await queue.redis.replicaof('NO', 'ONE');
  // READONLY made it connect anew.
  await eventually(
    'it is connected',
    async () => (await answer(queue.broker.open())) === undefined,
  );
  assert.deepEqual(await queue.broker.enqueue(0, [request('a')]), ['added']);
});

test('a queue is opened with the number of shards it was made with', async (t) => {
  const queue = testQueue(t, { shards: 2 });
  await queue.broker.open();
  assert.equal(await answer(queue.another({ shards: 1 }).open()), 'SHARDS_MISMATCH');
  assert.equal(await answer(queue.another({ shards: 4 }).open()), 'SHARDS_MISMATCH');
  await queue.another().open();
});

test('a limit of retention holds as it was last chosen, whoever opens the queue later without choosing', async (t) => {
  const queue = testQueue(t);
  const kept = () =>
    queue.redis.hmget(queue.broker.key(0, 'meta'), 'keepCount', 'keepMs', 'keepBytes');
  await queue.broker.open();
  const [, , bytes] = await kept();
  assert.deepEqual(await kept(), ['10000', '86400000', bytes]);
  await queue.another({ keep: { ms: 5000 } }).open();
  assert.deepEqual(await kept(), ['10000', '5000', bytes]);
  await queue.another().open();
  await queue.another({ keep: { count: 7 } }).open();
  assert.deepEqual(await kept(), ['7', '5000', bytes]);
});

const MESSAGES: [message: string, code: QueueErrorCode][] = [
  ['LOADING Redis is loading the dataset in memory', 'REDIS_UNAVAILABLE'],
  ["READONLY You can't write against a read only replica.", 'REDIS_UNAVAILABLE'],
  ['MASTERDOWN Link with MASTER is down', 'REDIS_UNAVAILABLE'],
  ['CLUSTERDOWN The cluster is down', 'REDIS_UNAVAILABLE'],
  [
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist",
    'REDIS_UNAVAILABLE',
  ],
  ['BUSY Redis is busy running a script.', 'REDIS_UNAVAILABLE'],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'REDIS_UNAVAILABLE'],
  ['Connection is closed.', 'REDIS_UNAVAILABLE'],
  ['Command timed out', 'REDIS_UNAVAILABLE'],
  ['connect ECONNREFUSED 127.0.0.1:1', 'REDIS_UNAVAILABLE'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'QUEUE_FULL'],
  ['ERR WORKER_UNKNOWN', 'WORKER_UNKNOWN'],
  ['WORKER_UNKNOWN', 'WORKER_UNKNOWN'],
  ['ERR STALE', 'STALE'],
  ['ERR user_script:1: attempt to index a nil value', 'SCRIPT_FAILED'],
  ['NOAUTH Authentication required.', 'SCRIPT_FAILED'],
];

describe('an error of Redis is told by its code:', () => {
  for (const [message, code] of MESSAGES) {
    test(`${message} is ${code}`, () => assert.equal(classify(new Error(message)).code, code));
  }
});
