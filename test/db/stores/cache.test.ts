import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Cache, redis as store } from '../../../db/stores/cache.ts';
import { freePort } from '../../../db/embedded/host/port.ts';
import { createTestRedis } from '../../support/stores/redis.ts';

const redis = createTestRedis();
const cache = new Cache(redis.url, redis.prefix);
after(async () => {
  cache.close();
  await redis.clear();
});

test('a value is read as it was set, with its version', async () => {
  const value = { text: '一行\n兩行', list: [1, null] };
  await cache.set('read', 3, value, 60);
  assert.deepEqual(await cache.get('read'), { version: 3, value });
  assert.equal(await cache.get('never set'), undefined);
});

test('an older version never overwrites a newer one, the same version does', async () => {
  await cache.set('versions', 10, 'ten', 60);
  await cache.set('versions', 9, 'nine', 60);
  assert.deepEqual(await cache.get('versions'), { version: 10, value: 'ten' });
  await cache.set('versions', 10, 'ten again', 60);
  assert.deepEqual(await cache.get('versions'), { version: 10, value: 'ten again' });
  await cache.set('versions', 11, 'eleven', 60);
  assert.deepEqual(await cache.get('versions'), { version: 11, value: 'eleven' });
});

test('of many writers at once the newest version remains', async () => {
  const versions = Array.from({ length: 50 }, (_, index) => (index * 7) % 50);
  await Promise.all(versions.map((version) => cache.set('race', version, version, 60)));
  assert.deepEqual(await cache.get('race'), { version: 49, value: 49 });
});

test('every value has a time to live, and a refused write does not prolong it', async () => {
  const key = `${redis.prefix}:cache:ttl`;
  await cache.set('ttl', 2, 'kept', 30);
  const ttl = await redis.client.ttl(key);
  assert.ok(ttl > 25 && ttl <= 30, `${ttl} s`);
  await cache.set('ttl', 1, 'refused', 3000);
  assert.ok((await redis.client.ttl(key)) <= 30);
});

test('what is not a version is replaced', async () => {
  await redis.client.set(`${redis.prefix}:cache:broken`, 'not ours');
  await cache.set('broken', 1, 'ours', 60);
  assert.deepEqual(await cache.get('broken'), { version: 1, value: 'ours' });
});

test('a value that Redis refuses for good is no reason to throw: its error is returned', async () => {
  await redis.client.rpush(`${redis.prefix}:cache:list`, 'not ours');
  assert.match((await cache.set('list', 1, 'ours', 60))?.message ?? '', /WRONGTYPE/);
  assert.equal(await cache.set('read', 9, 'stored', 60), undefined);
});

test('a Redis that is not there is away, from the first call on and without a wait', async () => {
  const absent = new Cache(`redis://127.0.0.1:${await freePort()}`, redis.prefix);
  try {
    for (const call of [
      () => absent.get('x'),
      () => absent.set('x', 1, 'x', 60),
      () => absent.ping(),
    ]) {
      await assert.rejects(call(), (error) => {
        assert.doesNotMatch(String(error), /timed out/);
        return store.isUnavailable(error);
      });
    }
  } finally {
    absent.close();
  }
});

test('a closed cache is away', async () => {
  const closed = new Cache(redis.url, redis.prefix);
  await closed.ping();
  closed.close();
  await assert.rejects(closed.get('x'), store.isUnavailable);
});

test('a key of another kind is a mistake, not a Redis that is away', async () => {
  await redis.client.rpush(`${redis.prefix}:cache:list`, 'x');
  await assert.rejects(cache.get('list'), (error) => {
    assert.match(String(error), /WRONGTYPE/);
    return !store.isUnavailable(error);
  });
  assert.equal(store.isUnavailable('Connection is closed'), false);
});

test('a server that is loading, failing over, busy or full is away', () => {
  for (const message of [
    'LOADING Redis is loading the dataset in memory',
    "READONLY You can't write against a read only replica.",
    'MASTERDOWN Link with MASTER is down',
    "OOM command not allowed when used memory > 'maxmemory'.",
    'BUSY Redis is busy running a script.',
    'UNBLOCKED force unblock from blocking operation, instance state changed',
    'NOREPLICAS Not enough good replicas to write.',
  ])
    assert.equal(store.isUnavailable(new Error(message)), true, message);
});
