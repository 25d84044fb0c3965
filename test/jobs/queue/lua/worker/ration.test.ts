/**
 * A claim answers with no more than can be sent before its deadline, however large the jobs are. The states here leave out
 * `jobs`: of records that large only the lengths are compared.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  short,
  testQueue,
  uuid,
  type State,
  type TestQueue,
} from '../../../../support/queue/scripts.ts';
import { step } from '../../../../support/stores/rows.ts';

const MIB = 1024 * 1024;
const HEADER = 'v1{"q":"main","p":5,"n":"work","c":1}\n';

/** Stores a job whose record has that many MiB; an `x` makes it a revoked one. */
async function store(queue: TestQueue, name: string, mib: number, kind = ''): Promise<void> {
  const text = `${kind}${HEADER}`.padEnd(mib * MIB, '7');
  await queue.redis.hset(queue.broker.key(0, 'jobs'), uuid(name), text);
}

interface Row {
  name: string;
  sizes: Record<string, number>;
  revoked?: Record<string, number>;
  before: State;
  claimed: [id: string, bytes: number][];
  after: State;
}

const WORKER = { workers: { '@w': 'T+60s' } };
const ROWS: Row[] = [
  {
    name: 'claims up to 8 MiB of them; the others it took are back at the heads of their lines, in order',
    sizes: { a: 3, b: 3, c: 3, d: 1, e: 1, f: 1, g: 1, h: 1 },
    before: {
      'wait:main:9': ['@a'],
      'wait:main:5': ['@b', '@c', '@d'],
      'wait:main:0': ['@e'],
      'wait:two:5': ['@f', '@g', '@h'],
    },
    claimed: [
      ['@a', 3 * MIB],
      ['@b', 3 * MIB],
    ],
    after: {
      'wait:main:5': ['@c', '@d'],
      'wait:main:0': ['@e'],
      'wait:two:5': ['@f', '@g', '@h'],
      'lease:@w': ['@a', '@b'],
      'replies:@w': { 2: '@a,@b|', last: '2' },
    },
  },
  {
    name: 'claims exactly 8 MiB',
    sizes: { a: 3, b: 5, c: 1 },
    before: { 'wait:main:5': ['@a', '@b', '@c'] },
    claimed: [
      ['@a', 3 * MIB],
      ['@b', 5 * MIB],
    ],
    after: {
      'wait:main:5': ['@c'],
      'lease:@w': ['@a', '@b'],
      'replies:@w': { 2: '@a,@b|', last: '2' },
    },
  },
  {
    name: 'claims one at least; what comes after it has not been looked at',
    sizes: { large: 9, a: 1 },
    revoked: { r: 1 },
    before: { 'wait:main:5': ['@large', '@r', '@a'] },
    claimed: [['@large', 9 * MIB]],
    after: {
      'wait:main:5': ['@r', '@a'],
      'lease:@w': ['@large'],
      'replies:@w': { 2: '@large|', last: '2' },
    },
  },
];

describe('a round of large jobs', () => {
  for (const { name, sizes, revoked = {}, before, claimed, after } of ROWS) {
    test(name, async (t) => {
      const queue = testQueue(t);
      await queue.load({ ...WORKER, ...before });
      for (const [id, mib] of Object.entries(sizes)) await store(queue, id, mib);
      for (const [id, mib] of Object.entries(revoked)) await store(queue, id, mib, 'x1{}\n');
      // Five of the six it asks for come from `main`, as its second round begins there.
      const call = { seq: 2, free: 6, queues: ['main', 'two'] };
      const reply = await step(queue.broker, call);
      assert.deepEqual(
        reply.claimed.map(({ id, record }) => [short(id), record.length]),
        claimed,
      );
      assert.equal(reply.more, true);
      await queue.redis.del(queue.broker.key(0, 'jobs'));
      assert.deepEqual(await queue.read(), { ...WORKER, ...after });
    });
  }
});

test('thirty jobs of 1 MiB come in order, a few at a time', async (t) => {
  const queue = testQueue(t);
  const names = Array.from({ length: 30 }, (_, i) => `n${i}`);
  await queue.load({ ...WORKER, 'wait:main:5': names.map((name) => `@${name}`) });
  for (const name of names) await store(queue, name, 1);
  const rounds: number[] = [];
  const given: string[] = [];
  for (let seq = 1; given.length < 30; seq++) {
    const { claimed, more } = await step(queue.broker, { seq, free: 100, known: given.length });
    given.push(...claimed.map(({ id }) => short(id)));
    rounds.push(claimed.length);
    assert.equal(more, given.length < 30);
  }
  assert.deepEqual(rounds, [8, 8, 8, 6]);
  assert.deepEqual(
    given,
    names.map((name) => `@${name}`),
  );
});
