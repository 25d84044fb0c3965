import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { openWorker, stateOf } from '../../support/threads/worker.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

async function open(t: TestContext) {
  const bench = await openWorker(t, database.url, { workerFreezeBuiltins: 'on' });
  const result = async (task: string, payload?: object): Promise<unknown> => {
    const id = await bench.add(task, payload);
    await bench.jobEvent(id, 'job.succeeded');
    return JSON.parse((await stateOf(bench, id, 'succeeded')).result ?? '');
  };
  return { bench, result };
}

test('a task that tries to change the language is refused, and its neighbours are unharmed', async (t) => {
  const { result } = await open(t);
  const unharmed = await result('neighbour', { list: [1, 2] });
  assert.deepEqual(unharmed, { doubled: [2, 4], extra: [], parsed: [1], got: 2 });
  assert.deepEqual(await result('vandal'), [], 'it got away with these');
  assert.deepEqual(await result('neighbour', { list: [1, 2] }), unharmed);
});

test('a task may give its own objects properties that a frozen prototype has, and set how deep stacks are told', async (t) => {
  const { result } = await open(t);
  assert.deepEqual(await result('craftsman'), ['own', 'Own', 'new', 'list', 2]);
});

test('stores refuse a thread something, and serve it afterwards', async (t) => {
  const { bench, result } = await open(t);
  await bench.redis.client.rpush(`${bench.redis.prefix}:cache:list`, 'a');
  const [redis, nothing, postgres, written, rows] = (await result('refused')) as unknown[];
  assert.match(String(redis), /^WRONGTYPE /);
  assert.match(String(postgres), /"nothing" does not exist/);
  assert.match(String(written), /^ctx\.db is read-only/);
  assert.deepEqual([nothing, rows], ['nothing', [{ later: true, some: '1.5' }]]);
});
