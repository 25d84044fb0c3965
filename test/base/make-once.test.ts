import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Behaviour } from '../../db/daodao/behaviour.ts';
import { makeOnce } from '../../base/make-once.ts';
import { VectorIndex } from '../../db/daodao/vector-index.ts';

test('a client is made once, for all who ask', async () => {
  let made = 0;
  const client = makeOnce(async () => ++made);
  assert.deepEqual(await Promise.all([client(), client()]), [1, 1]);
  assert.equal(await client(), 1);
});

test('a value is kept for its time, from when it was ready', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let made = 0;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const value = makeOnce(async () => {
    await finished;
    return ++made;
  }, 1000);
  const first = [value(), value()];
  t.mock.timers.tick(5000);
  finish();
  assert.deepEqual(await Promise.all([...first, value()]), [1, 1, 1]);
  t.mock.timers.tick(999);
  assert.equal(await value(), 1);
  t.mock.timers.tick(1);
  assert.equal(await value(), 2);
});

test('a failure reaches all who wait for it, and is not kept', async () => {
  let asked = 0;
  const value = makeOnce(async () => {
    if (++asked === 1) throw new Error('failure');
    return asked;
  }, 1000);
  const waiting = await Promise.allSettled([value(), value()]);
  assert.deepEqual(
    waiting.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await value(), 2);
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
