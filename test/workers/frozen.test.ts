import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registerTasksOfTests } from '../support/tasks-of-tests.ts';
import { NO_DATABASE, openWorker, stateOf } from '../support/worker.ts';

registerTasksOfTests();

test('a task that tries to change the language is refused, and its neighbours are unharmed', async (t) => {
  const bench = await openWorker(t, NO_DATABASE);
  const result = async (task: string, payload?: object): Promise<unknown> =>
    JSON.parse((await stateOf(bench, await bench.add(task, payload), 'succeeded')).result ?? '');
  const before = await result('neighbour', { list: [1, 2] });
  assert.deepEqual(before, { doubled: [2, 4], extra: [], parsed: [1], got: 2 });
  assert.deepEqual(await result('vandal'), [], 'it got away with these');
  assert.deepEqual(await result('neighbour', { list: [1, 2] }), before);
});
