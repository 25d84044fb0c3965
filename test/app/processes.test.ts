import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { isRunning } from '../../db/embedded/host/process.ts';
import { eventually } from '../support/queue/consumers.ts';
import {
  dataDirectories,
  enginesOf,
  paste,
  processesOf,
  startMain,
  toPaste,
} from '../support/stores/embedded-start.ts';
import { run } from '../support/app/process.ts';

const environment = dataDirectories(after);

/** What `/ready` says once the backlog has been measured after its last task: that is done once a second. */
async function readiness(origin: string): Promise<unknown> {
  let body: { backlog?: { tasks: number } } = {};
  await eventually('the backlog is empty', async () => {
    body = (await (await fetch(`${origin}/ready`)).json()) as typeof body;
    return body.backlog?.tasks === 0;
  });
  return body;
}

test('the guided run that could do nothing says so; the next one ends with everything done and a text in each language', async (t) => {
  const env = environment('demo');
  const idle = run(t, 'cli/demo/main.js', { ...env, FEEDBACK_MIN_NOTE_LENGTH: '10000' });
  assert.equal(await idle.ended, 1, idle.text());
  assert.match(idle.text(), /0 requests accepted/);
  const demo = run(t, 'cli/demo/main.js', env);
  assert.equal(await demo.ended, 0, demo.text());
  const [, asked, done] = /(\d+) requests accepted[^]*?(\d+) tasks done/.exec(demo.text()) ?? [];
  assert.ok(Number(asked) > 0 && asked === done, demo.text());
  assert.match(demo.text(), /– 409 as intended: still under way/);
  assert.match(demo.text(), /– 422 as intended: too little written/);
  assert.match(demo.text(), /\(zh-TW, written by: offline\)\n\n.*\p{Script=Han}{10}/u);
  assert.match(demo.text(), /\(en, written by: offline\)\n\n {2}[A-Z][\w ,'’]+/);
  assert.deepEqual(processesOf(env.DATA_DIR), []);
});

test('the guided run leaves configured stores alone, and says so', async (t) => {
  const stores = { DATABASE_URL: 'postgres://canary@127.0.0.1:1/x', QDRANT_URL: 'http://canary:1' };
  const demo = run(t, 'cli/demo/main.js', { ...environment('demo-alone'), ...stores });
  await demo.wrote(/embedded stores only; ignored: DATABASE_URL, QDRANT_URL\n[^]*Starting/);
  demo.child.kill('SIGINT');
  assert.equal(await demo.ended, 130, demo.text());
  assert.doesNotMatch(demo.text(), /canary|configuration is not valid/);
});

test('a start on nothing ends in lines to paste that work, ready in every part, and leaves nothing', async (t) => {
  const env = environment('main');
  const main = await startMain(t, env);
  const [, origin] = await main.wrote(/back end on (http:\S+)/);
  const [id = '', followed = '', read = '', cards = '', admin = ''] = paste(...toPaste(main));
  assert.match(id, /^[\da-f-]{36}$/);
  const task = JSON.parse(followed) as { task_id: string; status: string };
  assert.deepEqual([task.task_id, task.status], [id, 'done']);
  const feedback = JSON.parse(read) as { task_id: string };
  assert.equal(feedback.task_id, id);
  assert.equal((JSON.parse(cards) as { source: string }).source, 'personal');
  assert.equal((JSON.parse(admin) as { schedules: unknown[] }).schedules.length, 3);
  assert.deepEqual(paste(...toPaste(main)).slice(0, 1), [id], 'pasted again, it is the same task');
  assert.doesNotMatch(main.text(), /process\.started[^]*LOG_LEVEL=debug/);
  const dir = env.DATA_DIR;
  assert.ok(main.text().includes(`data in ${dir} (DATA_DIR=${dir} npm run cli -- reset --yes `));

  const ready = await readiness(origin!);
  assert.deepEqual(ready, {
    status: 'ready',
    dependencies: {
      postgres: 'ok',
      redis: 'ok',
      clickhouse: 'ok',
      vectors: 'ok',
      consumer: 'ok',
      reconciler: 'ok',
      beat: 'ok',
    },
    backlog: { tasks: 0, oldest_ms: 0, full: false },
  });
  const migrate = run(t, 'cli/main.js', env, ['migrate']);
  assert.equal(await migrate.ended, 0, migrate.text());
  assert.match(migrate.text(), /Nothing to apply\./);
  const seed = run(t, 'cli/main.js', env, ['seed']);
  assert.equal(await seed.ended, 0, seed.text());
  const workers = run(t, 'cli/main.js', env, ['inspect', 'workers']);
  assert.equal(await workers.ended, 0, workers.text());
  assert.match(workers.text(), new RegExp(` ${main.child.pid} +ai_tasks,default +0/32 `));
  const refused = run(t, 'cli/main.js', env, ['reset', '--yes']);
  assert.equal(await refused.ended, 1);
  assert.match(refused.text(), new RegExp(`is used by process ${main.child.pid}`));
  const second = run(t, 'main.js', env);
  assert.equal(await second.ended, 1);
  assert.match(second.text(), new RegExp(`is used by process ${main.child.pid}`));

  const engines = enginesOf(env.DATA_DIR);
  assert.ok(engines.length >= 5 && engines.every(isRunning));
  main.child.kill('SIGINT');
  assert.equal(await main.ended, 0, main.text());
  assert.deepEqual(engines.filter(isRunning), []);
  assert.deepEqual(processesOf(env.DATA_DIR), []);

  const reset = run(t, 'cli/main.js', env, ['reset', '--yes']);
  assert.equal(await reset.ended, 0, reset.text());
  assert.equal(reset.text(), `${path.resolve(dir)} is empty.\n`);
  assert.deepEqual(readdirSync(env.DATA_DIR), []);
});
