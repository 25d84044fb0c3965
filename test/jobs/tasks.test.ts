import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Value } from 'typebox/value';
import { Tasks } from '../../jobs/framework/tasks.ts';
import { TASKS } from '../../jobs/tasks.ts';
import { generateAiFeedback } from '../../jobs/feedback/task.ts';

test('two tasks of one name are refused', () => {
  assert.throws(() => new Tasks([...TASKS, generateAiFeedback]), /generate_ai_feedback/);
});

test('tasks are found by their names', () => {
  assert.equal(TASKS.find('generate_ai_feedback'), generateAiFeedback);
  assert.equal(TASKS.find('rm_rf'), undefined);
});

test('the payload of feedback is a practice and perhaps a language', () => {
  const practiceId = '0b54b3f4-6a44-4c39-9d0c-6d1f0f6a8a01';
  const fits = (payload: unknown) => Value.Check(generateAiFeedback.payload, payload);
  assert.ok(fits({ practiceId }));
  assert.ok(fits({ practiceId, locale: 'en' }));
  assert.ok(!fits({ practiceId: 'seven' }));
  assert.ok(!fits({ practiceId, locale: 'fr' }));
});

test('importing every task loads neither the model client, nor piscina, nor the vector store', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'registry-'));
  try {
    const tasks = new URL('../../jobs/tasks.js', import.meta.url).href;
    // V8 writes down every script a process has loaded.
    await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', `await import(${JSON.stringify(tasks)})`],
      { env: { ...process.env, NODE_V8_COVERAGE: folder, NODE_OPTIONS: '' } },
    );
    const [report] = await readdir(folder);
    const { result } = JSON.parse(await readFile(path.join(folder, report!), 'utf8')) as {
      result: { url: string }[];
    };
    const loaded = result.map(({ url }) => url);
    assert.ok(loaded.includes(tasks) && loaded.some((url) => url.includes('/typebox/')));
    assert.deepEqual(
      loaded.filter((url) =>
        /node_modules\/(?:openai|piscina|@qdrant|ioredis|fastify|pino|chdb)\//.test(url),
      ),
      [],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
