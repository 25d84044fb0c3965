import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Behaviour } from '../../db/daodao/behaviour.ts';
import { connectOnce } from '../../base/connect-once.ts';
import { VectorIndex } from '../../db/daodao/vector-index.ts';

test('a client is made once, for all who ask', async () => {
  let made = 0;
  const client = connectOnce(async () => ++made);
  assert.deepEqual(await Promise.all([client(), client()]), [1, 1]);
  assert.equal(await client(), 1);
});

const READERS: [string, (connect: () => Promise<never>) => () => Promise<unknown>][] = [
  [
    'vectors',
    (connect) => {
      const vectors = new VectorIndex(connect, { name: 'any', size: 8 });
      return () => vectors.use();
    },
  ],
  [
    'behaviour',
    (connect) => {
      const behaviour = new Behaviour(connect);
      return () => behaviour.popular(1, async (ids) => new Set(ids));
    },
  ],
];

for (const [what, open] of READERS) {
  test(`of ${what} a client that could not be made is asked for again`, async () => {
    let asked = 0;
    const read = open(() => Promise.reject(new Error(`failure ${++asked}`)));
    await assert.rejects(read(), /failure 1/);
    await assert.rejects(read(), /failure 2/);
  });
}
