/**
 * The commands around schedules, on the stores of a worker process.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../../db/embedded/host/port.ts';
import { openWorkerApp } from '../support/app/worker-app.ts';

interface Body {
  name: string;
  cron: string | null;
  every_ms: number | null;
  timezone: string;
  enabled: boolean;
  next_runs: { local: string }[];
  last_runs: { task_id: string; asked_by: string; status: string }[];
}

test('an operator sees schedules, changes them, and runs one now', async (t) => {
  const app = await openWorkerApp(t);
  const json = async <T>(...words: string[]): Promise<T> => {
    const { code, text } = await app.cli('schedules', ...words, '--json');
    assert.equal(code, 0, text);
    return JSON.parse(text) as T;
  };
  const lines = (await app.cli('schedules', 'list')).text.trimEnd().split('\n');
  assert.match(lines[0]!, /^SCHEDULE +WHEN +TIME ZONE +NEXT +LAST +OUTCOME$/);
  assert.match(
    lines.find((line) => line.startsWith('refresh-recommendations')) ?? '',
    /^refresh-recommendations +0 2 \* \* \* +Asia\/Taipei +\S+T02:00:00\+08:00 +- +-$/,
  );

  const edited = await json<Body>(
    'edit',
    'update-embeddings',
    '--cron',
    '30 4 * * *',
    '--timezone',
    'Europe/Berlin',
  );
  assert.deepEqual([edited.cron, edited.timezone], ['30 4 * * *', 'Europe/Berlin']);
  assert.match(edited.next_runs[0]!.local, /T04:30:00\+0[12]:00$/);
  const every = await json<Body>('edit', 'update-embeddings', '--every-ms', '90000');
  assert.deepEqual([every.cron, every.every_ms], [null, 90_000]);
  assert.match((await app.cli('schedules', 'list')).text, /every 90000 ms \(edited\)/);
  assert.equal((await json<Body>('pause', 'update-embeddings')).enabled, false);
  assert.match((await app.cli('schedules', 'list')).text, /update-embeddings .* paused +- +-/);
  assert.equal((await json<Body>('resume', 'update-embeddings')).enabled, true);
  assert.equal((await json<Body>('reset', 'update-embeddings')).cron, '0 * * * *');
  await json<Body>('pause', 'update-embeddings');
  const paused = (await app.cli('schedules', 'show', 'update-embeddings')).text;
  assert.match(paused, /update-embeddings +0 \* \* \* \* +Asia\/Taipei +paused/);
  assert.match(paused, /Manual changes\n +AT +BY +CHANGE\n +\S+ +cli +\{\} -> \{"enabled":false\}/);
  await json<Body>('resume', 'update-embeddings');

  const { code, text } = await app.cli('schedules', 'run', 'sweep-feedback');
  const [, id] = /^Task ([\da-f-]{36}) is accepted\.$/m.exec(text) ?? [];
  assert.equal(code, 0, text);
  assert.doesNotMatch(text, /Redis is unavailable/);
  const again = await app.cli('schedules', 'run', 'sweep-feedback');
  assert.equal(again.code, 1, again.text);
  assert.match(again.text, /has not ended/);
  const { schedules } = await json<{ schedules: Body[] }>('list');
  const shown = (await app.cli('schedules', 'show', 'sweep-feedback')).text;
  assert.match(shown, /Next runs\n( +\S+T01:00:00\+08:00\n){5}/);
  assert.match(shown, new RegExp(`Last runs\\n.*\\n +\\S+ +\\d+ ms +queued +${id} +cli`));
  assert.match(shown, new RegExp(`cli +run ${id}`));
  const [last] = schedules.find(({ name }) => name === 'sweep-feedback')!.last_runs;
  assert.deepEqual([last!.task_id, last!.asked_by, last!.status], [id, 'cli', 'queued']);

  for (const [words, message] of [
    [
      ['edit', 'update-embeddings', '--cron', '61 * * * *'],
      /character 1: "61" is not a valid minute/,
    ],
    [['edit', 'update-embeddings', '--every-ms', '10'], /^--every-ms: it must be a whole number/m],
    [['edit', 'update-embeddings'], /Say what to change/],
    [['pause', 'update-embedings'], /Did you mean update-embeddings\?/],
    [['pause'], /needs <name>/],
  ] as const) {
    const refused = await app.cli('schedules', ...words);
    assert.equal(refused.code, 2, refused.text);
    assert.match(refused.text, message);
  }

  // Schedules are in Postgres: Redis is only handed the tasks.
  app.env['REDIS_URL'] = `redis://127.0.0.1:${await freePort()}`;
  assert.equal((await json<{ schedules: Body[] }>('list')).schedules.length, 3);
  const late = await app.cli('schedules', 'run', 'update-embeddings');
  assert.equal(late.code, 0, late.text);
  assert.match(
    late.text,
    /is accepted\.\nRedis is unavailable: the scheduler enqueues the task later\./,
  );
});
