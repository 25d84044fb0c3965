/**
 * The commands with which operators look at things, against a worker process that runs.
 */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { Type } from 'typebox';
import { Enqueuer } from '../../jobs/framework/calls/enqueue.ts';
import { chord } from '../../jobs/framework/canvas/combinators.ts';
import { defineTask } from '../../jobs/framework/define.ts';
import { Tasks } from '../../jobs/framework/tasks.ts';
import { eventually } from '../support/queue/consumers.ts';
import { openWorkerApp, type WorkerApp } from '../support/app/worker-app.ts';

const greet = defineTask({
  name: 'greet',
  payload: Type.Object({}),
  result: Type.Null(),
  run: async () => null,
});

/** The document a command prints with `--json`. */
async function document<T>(app: WorkerApp, words: string[]): Promise<T> {
  const done = await app.cli(...words, '--json');
  assert.equal(done.code, 0, done.text);
  return JSON.parse(done.text) as T;
}

test('an operator looks at what there is', async (t) => {
  const app = await openWorkerApp(t);
  const worker = await app.start();
  assert.equal((await app.cli('inspect', 'active')).text, 'No job runs.\n');
  const id = await app.add('obey');
  await worker.wrote(new RegExp(`${id}[^\\n]*job\\.log`));
  const pid = worker.child.pid!;

  const { workers } = await document<{ workers: { id: string; held: number; stats: object }[] }>(
    app,
    ['inspect', 'workers'],
  );
  assert.equal(workers.length, 1);
  assert.equal(workers[0]!.held, 1);
  const people = await app.cli('inspect', 'workers', '--worker', workers[0]!.id.slice(0, 8));
  assert.match(people.text, /^WORKER +HOST +PID +QUEUES +HELD +LEASE LEFT\n/);
  assert.match(
    people.text,
    new RegExp(`${workers[0]!.id} +${hostname()} +${pid} +ai_tasks,default +1/16 `),
  );

  const active = await app.cli('inspect', 'active');
  assert.match(active.text, new RegExp(`${id} +test\\.obey +default +1 +\\d+\\.\\d s `));
  const { queues } = await document<{ queues: { name: string; paused: boolean | null }[] }>(app, [
    'inspect',
    'queues',
  ]);
  assert.deepEqual(
    queues.map(({ name, paused }) => [name, paused]),
    [
      ['ai_tasks', false],
      ['default', false],
    ],
  );
  assert.match((await app.cli('inspect', 'queues')).text, /^ai_tasks +0 +- +open +1$/m);
  assert.match((await app.cli('inspect', 'queues')).text, /^default +0 +- +open +1$/m);
  assert.match(
    (await app.cli('inspect', 'registered')).text,
    /generate_ai_feedback +ai_tasks +yes/,
  );
  assert.match((await app.cli('inspect', 'stats')).text, /1 threads of 16 jobs; holds 1 of 16/);

  const known = await app.cli('inspect', 'task', id);
  assert.equal(known.code, 0, known.text);
  assert.match(known.text, /^task +test\.obey\n.*\nin Redis +active\nin Postgres +no row\n/);
  const unknown = await app.cli('inspect', 'task', '00000000-0000-4000-8000-000000000000');
  assert.deepEqual([unknown.code, unknown.text], [1, 'There is no such task.\n']);
  const nobody = await app.cli('inspect', 'active', '--worker', 'ffffffff-none');
  assert.equal(nobody.code, 1);
  assert.match(nobody.text, /No worker has an id that starts with ffffffff-none/);
});

test('an operator reads how a task stands: times, and what the row says', async (t) => {
  const app = await openWorkerApp(t);
  await app.start();
  const stumbled = await app.accept('stumble');
  const written = await app.accept('durable_diary', { file: app.diary.file, ms: 0 });
  const long = await app.add('echo', { word: 'x'.repeat(600) });
  const lookAt = async (id: string, state: string): Promise<Record<string, string>> => {
    await eventually('it is so', async () => (await app.inspector.status(id)).state === state);
    const { code, text } = await app.cli('inspect', 'task', id);
    assert.equal(code, 0, text);
    const lines = text.trimEnd().split('\n');
    return Object.fromEntries(lines.map((line) => [line.slice(0, 11).trim(), line.slice(13)]));
  };
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

  const retrying = await lookAt(stumbled, 'retrying');
  assert.equal(retrying['in Postgres'], 'queued, TASK_FAILED: The task failed.');
  assert.equal(retrying['charged'], '1 attempt, 0 deaths');
  assert.match(retrying['created'] ?? '', time);
  assert.match(retrying['started'] ?? '', time);
  assert.match(retrying['next start'] ?? '', /^in 5\d\d\.\d s$/);
  assert.equal(retrying['finished'], undefined);

  const done = await lookAt(written, 'succeeded');
  assert.equal(done['in Postgres'], 'done');
  assert.equal(done['charged'], '1 attempt, 0 deaths');
  assert.match(done['finished'] ?? '', time);
  assert.equal(done['next start'], undefined);
  assert.equal(done['result'], '"written"');

  const transient = await lookAt(long, 'succeeded');
  assert.match(transient['finished'] ?? '', time);
  assert.equal(transient['result'], `"${'x'.repeat(499)}…`);
});

test('without a worker, control fails and inspect does not', async (t) => {
  const app = await openWorkerApp(t);
  const told = await app.cli('control', 'ping');
  assert.deepEqual([told.code, told.text], [1, 'No worker is registered.\n']);
  assert.deepEqual(await document(app, ['inspect', 'active']), { workers: [] });
});

test('an operator sees what runs after what in a graph', async (t) => {
  const app = await openWorkerApp(t);
  const known = { tasks: new Tasks([greet]), queues: [] };
  const { database, broker } = app;
  const enqueuer = new Enqueuer({ ...known, db: database.pool, broker, deferred: () => undefined });
  const work = chord([greet.s({}), greet.s({})], greet.s({}));
  const { id } = await enqueuer.enqueueGraph(work, {});
  await enqueuer.idle();
  const { code, text } = await app.cli('inspect', 'graph', id);
  assert.equal(code, 0, text);
  const [first, head, ...nodes] = text.trimEnd().split('\n');
  assert.match(first ?? '', /^running, (2 queued, 1 waiting|1 waiting, 2 queued)$/);
  assert.match(head ?? '', /^NODE +TASK +STATE +THEN +ID$/);
  assert.deepEqual(
    nodes.map((node) => node.split(/ +/).slice(0, 4).join(' ')),
    ['0 greet queued 2', '1 greet queued 2', '2 join open 3', '3 greet waiting -'],
  );
  const { nodes: listed } = await document<{ nodes: object[] }>(app, ['inspect', 'graph', id]);
  assert.equal(listed.length, 4);
  const unknown = await app.cli('inspect', 'graph', '00000000-0000-4000-8000-000000000000');
  assert.deepEqual([unknown.code, unknown.text], [1, 'There is no such graph.\n']);
});
