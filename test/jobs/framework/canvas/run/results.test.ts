/** Compositions that run: what each step takes, and what the whole gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chain, chord, group, onError } from '../../../../../jobs/framework/canvas/combinators.ts';
import { dag } from '../../../../../jobs/framework/canvas/dag.ts';
import { add, fail, give, gather, canvasWorld } from './world.ts';

const world = canvasWorld();

test('a chain passes each result on', async () => {
  assert.equal(await world.result(chain(give.s({ n: 1 }), add.s({ n: 2 }), add.s({ n: 3 }))), 6);
});

test('a step that takes nothing runs after the one before it', async () => {
  assert.equal(await world.result(chain(give.s({ n: 1 }), give.s({ n: 5 }))), 5);
});

test('a group gives its results in order', async () => {
  assert.deepEqual(await world.result(group([3, 1, 2].map((n) => give.s({ n })))), [3, 1, 2]);
  assert.deepEqual(await world.result(group([])), []);
});

test('a chord gathers the results of its group, and groups nest', async () => {
  const header = group([chain(give.s({ n: 1 }), add.s({ n: 1 })), give.s({ n: 5 })]);
  assert.equal(await world.result(chord(header, gather.s({}))), 7);
  const twice = chain(give.s({ n: 1 }), group([add.s({ n: 1 }), add.s({ n: 2 })]), gather.s({}));
  assert.equal(await world.result(twice), 5);
  assert.equal(await world.result(chord([], gather.s({}))), 0);
});

test('a dag gives an object of results', async () => {
  const work = dag({
    a: { run: give.s({ n: 1 }) },
    b: { run: add.s({ n: 10 }), after: ['a'] },
    c: { run: add.s({ n: 100 }), after: ['a'] },
  });
  assert.deepEqual(await world.result(work), { a: 1, b: 11, c: 101 });
});

test('five chords of ten in a chain leave less than 100 KB in Redis', async () => {
  const { redis } = world;
  const bytes = async (): Promise<number> => {
    let sum = 0;
    for await (const keys of redis.client.scanStream({ match: `*${redis.prefix}*` })) {
      for (const key of keys as string[]) {
        sum += (await redis.client.memory('USAGE', key, 'SAMPLES', 0)) ?? 0;
      }
    }
    return sum;
  };
  await redis.flush();
  const ten = chord(
    Array.from({ length: 10 }, () => give.s({ n: 1 })),
    gather.s({}),
  );
  assert.equal(await world.result(chain(ten, ten, ten, ten, ten)), 10);
  const kept = await bytes();
  assert.ok(kept > 1000 && kept < 100 * 1024, `${kept} bytes`);
});

test('what fails is not gone on from; what ignores it takes null', async () => {
  await assert.rejects(world.result(chain(fail.s({}), add.s({ n: 1 }))), { code: 'TASK_FAILED' });
  const ignored = chain(onError(fail.s({}), 'ignore'), give.s({ n: 3 }));
  assert.equal(await world.result(ignored), 3);
  const inside = chain(onError(chain(fail.s({}), add.s({ n: 1 })), 'ignore'), give.s({ n: 4 }));
  assert.equal(await world.result(inside), 4);
});
