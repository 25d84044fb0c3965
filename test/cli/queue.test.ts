/**
 * The commands of operators against a worker process that runs, one after the other: a process costs a second.
 */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { cliHost } from '../support/app/cli-host.ts';
import { freePort } from '../../db/embedded/host/port.ts';
import { eventually } from '../support/queue/consumers.ts';
import { run } from '../support/app/process.ts';
import { openWorkerApp, type WorkerApp } from '../support/app/worker-app.ts';

/** The document a command prints with `--json`; it must end with this code. */
async function document<T>(app: WorkerApp, words: string[], code = 0): Promise<T> {
  const done = await app.cli(...words, '--json');
  assert.equal(done.code, code, done.text);
  return JSON.parse(done.text) as T;
}

async function open(t: TestContext) {
  const app = await openWorkerApp(t);
  const worker = await app.start();
  const running = async (task: string): Promise<string> => {
    const id = await app.add(task);
    await worker.wrote(new RegExp(`${id}[^\\n]*job\\.log`));
    return id;
  };
  const state = async (id: string) => (await app.inspector.status(id)).state;
  return { app, running, state };
}

test('an operator acts on queues and workers', async (t) => {
  const { app, state } = await open(t);
  assert.match((await app.cli('control', 'ping')).text, /pong, process \d+ on /);
  assert.equal((await app.cli('control', 'pause', 'default')).text, 'default is paused.\n');
  const held = await app.add('echo', { word: 'held back' });
  assert.equal(await state(held), 'pending');
  assert.equal((await app.cli('control', 'resume', 'default')).text, 'default is resumed.\n');
  await eventually('it runs', async () => (await state(held)) === 'succeeded');

  assert.equal(
    (await app.cli('control', 'pause', 'nope')).text,
    'nope is paused. No worker serves it.\n',
  );
  assert.match((await app.cli('inspect', 'queues')).text, /^nope +0 +- +paused +0$/m);

  const cancelled = await app.cli('control', 'cancel-consumer', 'default');
  assert.match(cancelled.text, /serves ai_tasks\n/);
  const left = await app.add('echo', { word: 'left' });
  assert.equal(await state(left), 'pending');
  const added = await app.cli('control', 'add-consumer', 'default');
  assert.match(added.text, /serves ai_tasks, default\n/);
  await eventually('it runs', async () => (await state(left)) === 'succeeded');

  assert.match((await app.cli('control', 'concurrency', '3')).text, /3 jobs a thread, 3 in all\n/);
});

test('an operator stops tasks, waiting or running, durable ones in Postgres too', async (t) => {
  const { app, running, state } = await open(t);
  await app.cli('control', 'pause', 'default');
  const waiting = await app.accept('durable_diary', { file: app.diary.file, ms: 0 });
  await app.cli('control', 'resume', 'ai_tasks');
  const unknown = '00000000-0000-4000-8000-000000000000';
  const { tasks } = await document<{ tasks: object[] }>(
    app,
    ['control', 'revoke', waiting, unknown],
    1,
  );
  assert.deepEqual(tasks, [
    { id: waiting, row: true, job: 'revoked' },
    { id: unknown, row: false, job: 'unknown' },
  ]);
  await app.cli('control', 'resume', 'default');
  const { rows } = await app.database.pool.query('SELECT status, error_code FROM ai.tasks');
  assert.deepEqual(rows, [{ status: 'revoked', error_code: 'TASK_REVOKED' }]);

  await app.cli('control', 'pause', 'default');
  await app.accept('durable_diary', { file: app.diary.file, ms: 0 });
  const filter = ['control', 'revoke', '--task', 'test.durable_diary', '--queue', 'default'];
  const counted = await app.cli(...filter);
  assert.deepEqual(
    [counted.code, /This revokes 1 task\. To confirm/.test(counted.text)],
    [2, true],
  );
  const others = ['--task=other', '--user=someone', '--subject=something', '--queue=ai_tasks'];
  for (const other of others) {
    assert.match((await app.cli('control', 'revoke', other)).text, /This revokes 0 tasks/, other);
  }
  assert.equal((await app.cli(...filter, '--yes')).text, '1 task revoked.\n');
  assert.equal((await app.cli('control', 'revoke', '--yes')).code, 2);
  const purge = ['control', 'purge', 'default', '--delayed'];
  assert.match((await app.cli(...purge)).text, /This deletes 0 delayed jobs of default/);
  assert.equal((await app.cli(...purge, '--yes')).text, '0 delayed jobs deleted.\n');
  await app.cli('control', 'resume', 'default');

  const deaf = await running('ignore');
  const terminated = await app.cli('control', 'terminate', deaf, '--revoke');
  assert.equal(terminated.code, 0, terminated.text);
  assert.match(terminated.text, new RegExp(`ends the thread of ${deaf}\n`));
  assert.equal(await state(deaf), 'revoked');
  // The thread takes a moment to end.
  await eventually(
    'no worker runs it',
    async () => (await app.cli('control', 'terminate', deaf)).code === 1,
  );
  await app.cli('control', 'pause', 'default');
  const inLine = await app.accept('durable_diary', { file: app.diary.file, ms: 0 });
  const stopped = await app.cli('control', 'terminate', inLine, '--revoke');
  assert.equal(stopped.code, 0, stopped.text);
  assert.match(
    stopped.text,
    new RegExp(`No worker that answered runs ${inLine}\\.\n${inLine} is revoked`),
  );
  assert.equal(await state(inLine), 'revoked');
  assert.deepEqual(app.diary.lines(), []);
});

test('an operator gives dead letters another life, or none, and sees jobs end', async (t) => {
  const { app } = await open(t);
  const events = run(t, 'cli/main.js', app.env, ['events', '--json']);
  await events.wrote(/Following finished jobs/);
  const ids = [await app.accept('fail'), await app.accept('fail')];
  const echo = await app.add('echo', { word: 'x' });
  await eventually('they fail', async () => (await app.inspector.overview()).failed === 2);
  await events.wrote(
    new RegExp(`"succeeded","id":"${echo}","task":"test.echo","queue":"default"}`),
  );
  await events.wrote(
    new RegExp(`"failed","id":"${ids[1]}","task":"test.fail".*"code":"LLM_UNAVAILABLE"`),
  );
  events.child.kill('SIGINT');
  assert.equal(await events.ended, 0);

  const { total, deadLetters } = await document<{ total: number; deadLetters: { id: string }[] }>(
    app,
    ['dead', 'list', '--code', 'LLM_UNAVAILABLE', '--limit', '1'],
  );
  assert.deepEqual([total, deadLetters.length], [2, 1]);
  assert.match((await app.cli('dead', 'list', '--task', 'other')).text, /^0 dead letters$/m);
  const shown = (await app.cli('dead', 'show', ids[0]!)).text;
  assert.match(shown, /^message +The model is away\.$/m);
  assert.match(shown, /^charged +1 attempt, 0 deaths$/m);

  await app.cli('control', 'pause', 'default');
  const all = await document(app, ['dead', 'requeue', '--all', '--task', 'test.fail']);
  assert.deepEqual(all, { requeued: 2, left: [] });
  const { rows } = await app.database.pool.query('SELECT DISTINCT status, attempts FROM ai.tasks');
  assert.deepEqual(rows, [{ status: 'queued', attempts: 0 }]);
  const again = await app.cli('dead', 'requeue', ids[0]!);
  assert.deepEqual([again.code, /is not a dead letter/.test(again.text)], [1, true]);
  await app.cli('control', 'resume', 'default');
  await eventually('they fail again', async () => (await app.inspector.overview()).failed === 2);

  const asked = await app.cli('dead', 'purge');
  assert.deepEqual(
    [asked.code, asked.text],
    [2, 'This deletes 2 dead letters for good. To confirm: --yes\n'],
  );
  assert.equal((await app.cli('dead', 'purge', '--yes')).text, '2 dead letters deleted.\n');
  assert.equal((await app.inspector.overview()).failed, 0);
});

/** Commands with nothing to work on. */
const runCli = cliHost({ after });
const cli = (...words: string[]) => runCli({ env: { DATA_DIR: '/nonexistent' }, words });

test('an operator revokes a durable task while Redis is unavailable: its row ends it', async (t) => {
  const app = await openWorkerApp(t);
  const id = await app.accept('durable_diary', { file: app.diary.file, ms: 0 });
  app.env['REDIS_URL'] = `redis://127.0.0.1:${await freePort()}`;
  const { tasks } = await document<{ tasks: object[] }>(app, ['control', 'revoke', id]);
  assert.deepEqual(tasks, [{ id, row: true, job: 'unavailable' }]);
  const { rows } = await app.database.pool.query('SELECT status, error_code FROM ai.tasks');
  assert.deepEqual(rows, [{ status: 'revoked', error_code: 'TASK_REVOKED' }]);
});

test('without a queue to ask, a command says so and starts nothing', async () => {
  const { code, text } = await cli('inspect', 'queues');
  assert.equal(code, 1);
  assert.match(text, /^There is no queue to use: no process runs embedded engines on /);
});

for (const [words, sentence] of [
  [['inspect'], /^npm run cli -- inspect <command>\n[^]* inspect workers /],
  [
    ['inspect', 'wokers'],
    /^There is no command "inspect wokers"\. Did you mean inspect workers\?\nnpm run cli -- help inspect lists the commands.\n$/,
  ],
  [['contrl', 'ping'], /^There is no command "contrl"\. Did you mean control\?/],
  [['inspect', 'active', '--timout', '5'], /does not take "--timout"\. Did you mean --timeout\?/],
  [
    ['inspect', 'active', '--timeout', '0'],
    /--timeout needs a whole number of at least 1, not "0"/,
  ],
  [['inspect', 'active', '--worker'], /--worker needs a value/],
  [['inspect', 'active', '--worker', '--json'], /--worker needs a value/],
  [['inspect', 'queues', '--json=1'], /--json takes no value/],
  [['inspect', 'task'], /The command inspect task needs <id>\./],
  [['inspect', 'task', 'x', 'y'], /does not take "y"/],
  [
    ['control', 'concurrency', '0'],
    /The concurrency must be a whole number from 1 to 1000, not "0"/,
  ],
  [['control', 'pause', 'a,b'], /A queue name has 1 to 64 letters/],
  [['control', 'revoke', 'x'], /"x" is not an id/],
  [['dead', 'requeue'], /Name the dead letters: ids, or --all/],
  [['dead', 'requeue', '--task', 'x'], /Name the dead letters: ids, or --all/],
] as const) {
  test(`"${words.join(' ')}" ends with 2 and how it is done right`, async () => {
    const { code, text } = await cli(...words);
    assert.equal(code, 2, text);
    assert.match(text, sentence);
  });
}

for (const words of [
  ['help', 'control', 'shutdown'],
  ['control', 'shutdown', '--help'],
  ['control', 'shutdown', '-h'],
]) {
  test(`"${words.join(' ')}" tells all of one command`, async () => {
    const { code, text } = await cli(...words);
    assert.equal(code, 0);
    assert.match(text, /^npm run cli -- control shutdown \[--cold\] \[--worker <text>\]/);
    assert.match(text, /--cold +give running jobs back to the queue at once/);
  });
}

for (const words of [
  ['help', 'dead'],
  ['dead', '--help'],
]) {
  test(`"${words.join(' ')}" lists the commands of a group`, async () => {
    const { code, text } = await cli(...words);
    assert.equal(code, 0);
    assert.match(text, / dead requeue /);
    assert.doesNotMatch(text, / inspect /);
  });
}
