/**
 * Whatever was lost or doubled in Redis is found, and put where it belongs.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Producer } from '../../../../../jobs/queue/index.ts';
import { createRepair, repair } from '../../../../../jobs/queue/worker/repair.ts';
import { eventually } from '../../../../support/queue/consumers.ts';
import { record, short, testQueue, uuid, type State } from '../../../../support/queue/scripts.ts';

const never = new AbortController().signal;
const A = record('a');
const RESULT = `r1{"q":"main","p":5,"n":"work","d":"0123456789abcdef"}\n1`;
const DEAD = `f1{"code":"X"}\n${A}`;
const REVOKED = `x1{"code":"JOB_REVOKED"}\n${A}`;
const queues = ['main'];
const workers = { '@w': 'T+60s' };
const line = 'wait:main:5';

const rows: [what: string, before: State, after: State][] = [
  ['in no place: back to its line', { jobs: { '@a': A }, queues }, { [line]: ['@a'] }],
  [
    'leased to a worker that is not registered: back to its line',
    { jobs: { '@a': A }, queues, 'lease:@u': ['@a'] },
    { [line]: ['@a'], 'lease:@u': ['@a'] },
  ],
  [
    'in line and leased: the lease holds',
    { jobs: { '@a': A }, queues, workers, [line]: ['@a'], 'lease:@w': ['@a'] },
    { workers, 'lease:@w': ['@a'] },
  ],
  [
    'delayed and leased: the lease holds',
    { jobs: { '@a': A }, queues, workers, delayed: { '5@a': 'T+60s' }, 'lease:@w': ['@a'] },
    { workers, 'lease:@w': ['@a'] },
  ],
  [
    'delayed and in line: it waits for its time',
    { jobs: { '@a': A }, queues, delayed: { '5@a': 'T+60s' }, [line]: ['@a'] },
    { delayed: { '5@a': 'T+60s' } },
  ],
  [
    'delayed twice, with two priorities: once',
    { jobs: { '@a': A }, queues, delayed: { '5@a': 'T+60s', '3@a': 'T+60s' } },
    { delayed: { '3@a': 'T+60s' } },
  ],
  [
    'leased twice: once',
    {
      jobs: { '@a': A },
      queues,
      workers: { '@w': 'T+60s', '@v': 'T+65s' },
      'lease:@w': ['@a'],
      'lease:@v': ['@a'],
    },
    { workers: { '@w': 'T+60s', '@v': 'T+65s' }, 'lease:@w': ['@a'] },
  ],
  [
    'in line three times: once',
    { jobs: { '@a': A, '@b': record('b') }, queues, [line]: ['@a', '@b', '@a', '@a'] },
    { jobs: { '@a': A, '@b': record('b') }, [line]: ['@a', '@b'] },
  ],
  [
    'a dead letter in no place: among the dead letters',
    { jobs: { '@a': DEAD }, queues },
    { jobs: { '@a': DEAD }, failed: { '@a': 'T' } },
  ],
  [
    'a dead letter in line too: not in line',
    { jobs: { '@a': DEAD }, queues, failed: { '@a': 'T' }, [line]: ['@a'] },
    { jobs: { '@a': DEAD }, failed: { '@a': 'T' } },
  ],
  [
    'a result that nobody would ever drop: remembered with the others',
    { jobs: { '@a': RESULT }, queues },
    {
      jobs: { '@a': RESULT },
      done: ['@a'],
      marks: [`T:1:${RESULT.length}`],
      doneBytes: String(RESULT.length),
    },
  ],
  [
    'a result that is leased: not leased',
    { jobs: { '@a': RESULT }, queues, workers, done: ['@a'], 'lease:@w': ['@a'] },
    { jobs: { '@a': RESULT }, workers, done: ['@a'] },
  ],
  [
    'a revoked job in no place: remembered',
    { jobs: { '@a': REVOKED }, queues },
    { jobs: { '@a': REVOKED }, done: ['@a'] },
  ],
  [
    'a result that ended twice, as its record was lost in between: remembered once, with the last',
    {
      jobs: { '@a': RESULT, '@b': RESULT },
      queues,
      done: ['@a', '@b', '@a'],
      marks: ['T-60s:1:50', 'T:2:100'],
      doneBytes: '150',
    },
    { jobs: { '@a': RESULT, '@b': RESULT }, done: ['@b', '@a'], marks: ['T:2:100'] },
  ],
  [
    'in line, and among the ended under the same id: it waits, and is not dropped with them',
    {
      jobs: { '@a': A, '@b': RESULT },
      queues,
      done: ['@a', '@b'],
      marks: ['T:2:100'],
      doneBytes: '100',
      [line]: ['@a'],
    },
    { jobs: { '@a': A, '@b': RESULT }, done: ['@b'], marks: ['T:1:100'], [line]: ['@a'] },
  ],
  [
    'a revoked job in its line and remembered: it leaves its line before it is',
    { jobs: { '@a': REVOKED }, queues, done: ['@a'], [line]: ['@a'] },
    { jobs: { '@a': REVOKED }, [line]: ['@a'] },
  ],
  [
    'an id without a job among the ended: forgotten',
    {
      jobs: { '@b': A },
      queues,
      done: ['@a'],
      marks: ['T:1:50'],
      doneBytes: '50',
      [line]: ['@b'],
    },
    { jobs: { '@b': A }, doneBytes: '0', [line]: ['@b'] },
  ],
  [
    'an id without a job: in no place',
    {
      jobs: { '@b': record('b') },
      queues,
      workers,
      'lease:@w': ['@a'],
      failed: { '@a': 'T' },
      [line]: ['@b'],
    },
    { jobs: { '@b': record('b') }, workers, [line]: ['@b'] },
  ],
];

/** What a repair is not to touch, as far as the row names it. */
function pick(state: State, like: State): State {
  return Object.fromEntries(Object.keys(like).map((key) => [key, state[key]]));
}

for (const [what, before, after] of rows) {
  test(what, async (t) => {
    const queue = testQueue(t);
    await queue.load(before);
    assert.deepEqual(short(await repair(0, queue.broker, never)), { ids: ['@a'], wasEven: false });
    const state = await queue.read();
    const expected: State = { jobs: { '@a': A }, ...after };
    assert.deepEqual(pick(state, expected), expected);
    for (const place of ['delayed', 'failed', 'done', line, 'lease:@w']) {
      if (!(place in expected)) assert.equal(state[place], undefined, place);
    }
    assert.deepEqual((await repair(0, queue.broker, never)).ids, [], 'all is well then');
  });
}

test('a worker looks again and again, and tells what it mended', async (t) => {
  const queue = testQueue(t);
  const { broker, redis, atEnd } = queue;
  await broker.open();
  const told: string[][] = [];
  const loop = createRepair(0, broker, {
    repaired: (ids) => told.push(ids),
    failed: (error) => assert.fail(String(error)),
  });
  atEnd(() => loop.stop());
  await loop.start();
  const id = uuid('lone');
  await new Producer(broker).enqueue({ id, task: 'work', queue: 'main', payload: '{}' });
  await redis.del(broker.key(0, line));
  await eventually('it is mended', () => {
    loop.wake();
    return told.length > 0;
  });
  assert.deepEqual(told, [[id]]);
  assert.deepEqual(await redis.lrange(broker.key(0, line), 0, -1), [id]);
});
