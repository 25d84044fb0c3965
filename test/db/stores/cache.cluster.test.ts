import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cache } from '../../../db/stores/cache.ts';
import { startCluster, type TestCluster } from '../../support/stores/cluster.ts';

let cluster: TestCluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster.stop());

test('in a Redis Cluster every value is kept by the node of its key', async () => {
  const cache = new Cache(cluster.url, 'test');
  try {
    const keys = Array.from({ length: 30 }, (_, i) => `key-${i}`);
    for (const key of keys) await cache.set(key, 1, key, 60);
    for (const key of keys) assert.deepEqual(await cache.get(key), { version: 1, value: key });
    const sizes = await Promise.all(cluster.masters.map((master) => master.dbsize()));
    assert.ok(
      sizes.every((size) => size > 0),
      `keys on each master: ${sizes.join(', ')}`,
    );
  } finally {
    cache.close();
  }
});
