import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { packagePath } from '../../package-path.ts';
import { isRunning, type ProcessMark } from '../../db/embedded/process.ts';
import { freePort } from '../../db/embedded/port.ts';
import { eventually } from '../support/consumers.ts';
import { HANG_MS } from '../support/patience.ts';
import { run, type Run } from '../support/process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'daodao-processes-'));
// Postgres runs under an unprivileged account, which must be able to pass through.
chmodSync(folder, 0o711);
after(() => rmSync(folder, { recursive: true, force: true }));

/** `used` is a directory that tests hand on: what one of them leaves is no start on nothing. */
function environment(name: string): { PORT: string; DATA_DIR: string } {
  return { PORT: '0', DATA_DIR: path.join(folder, name) };
}

function enginesOf(dataDir: string): ProcessMark[] {
  const state = readFileSync(path.join(dataDir, 'engines.json'), 'utf8');
  return (JSON.parse(state) as { engines: ProcessMark[] }).engines;
}

/** Processes whose command line names the directory, as that of every engine does. */
function processesOf(dataDir: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataDir);
      } catch {
        return false;
      }
    });
}

const allGone = (engines: readonly ProcessMark[]): Promise<void> =>
  eventually('the engines end', () => !engines.some(isRunning));

const noneOf = (dataDir: string): Promise<void> =>
  eventually('the engines end', () => processesOf(dataDir).length === 0);

async function startMain(t: TestContext, env: Record<string, string>): Promise<Run> {
  const main = run(t, 'main.js', env);
  await main.wrote(/LOG_LEVEL=debug npm start\n/);
  return main;
}

/** The lines a greeting says to paste. */
function toPaste(main: Run): string[] {
  return [...main.text().matchAll(/^ {2}((?:TOKEN=|TASK=|ADMIN=|curl ).*)$/gm)].map(
    ([, line]) => line!,
  );
}

/** Pastes lines into a shell, all at once. @returns what it prints, by line. */
function paste(...lines: string[]): string[] {
  const shell = spawnSync('bash', ['-c', lines.join('\n')], { encoding: 'utf8' });
  assert.equal(shell.status, 0, shell.stderr);
  return shell.stdout.trimEnd().split('\n');
}

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
  const idle = run(t, 'demo.js', { ...env, FEEDBACK_MIN_NOTE_LENGTH: '10000' });
  assert.equal(await idle.ended, 1, idle.text());
  assert.match(idle.text(), /0 requests accepted/);
  const demo = run(t, 'demo.js', env);
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
  const demo = run(t, 'demo.js', { ...environment('demo-alone'), ...stores });
  await demo.wrote(/embedded stores only; not used: DATABASE_URL, QDRANT_URL\n[^]*Starting/);
  demo.child.kill('SIGINT');
  assert.equal(await demo.ended, 130, demo.text());
  assert.doesNotMatch(demo.text(), /canary|not usable/);
});

for (const file of ['demo.js', 'main.js']) {
  test(`${file} ends quietly when nobody reads it any more, and leaves nothing`, async (t) => {
    const env = environment('used');
    const started = run(t, file, env);
    await started.wrote(file === 'main.js' ? /data in/ : /redis /);
    started.child.stdout!.destroy();
    assert.equal(await started.ended, 0, started.text());
    assert.doesNotMatch(started.text(), /EPIPE|Error|\n\s+at /);
    await noneOf(env.DATA_DIR);
  });
}

test('the same holds when output and log are one broken pipe', () => {
  const { PATH, HOME } = process.env;
  const main = `'${process.execPath}' '${packagePath('dist', 'main.js')}'`;
  const shell = spawnSync('bash', ['-o', 'pipefail', '-c', `${main} 2>&1 | head -2`], {
    env: { PATH, HOME, ...environment('used') },
    encoding: 'utf8',
    timeout: HANG_MS,
  });
  assert.equal(shell.status, 0, shell.stdout);
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
  const migrate = run(t, 'cli.js', env, ['migrate']);
  assert.equal(await migrate.ended, 0, migrate.text());
  assert.match(migrate.text(), /Nothing to apply\./);
  const seed = run(t, 'cli.js', env, ['seed']);
  assert.equal(await seed.ended, 0, seed.text());
  const workers = run(t, 'cli.js', env, ['inspect', 'workers']);
  assert.equal(await workers.ended, 0, workers.text());
  assert.match(workers.text(), new RegExp(` ${main.child.pid} +ai_tasks,default +0/32 `));
  const refused = run(t, 'cli.js', env, ['reset', '--yes']);
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

  const reset = run(t, 'cli.js', env, ['reset', '--yes']);
  assert.equal(await reset.ended, 0, reset.text());
  assert.equal(reset.text(), `${path.resolve(dir)} is empty.\n`);
  assert.deepEqual(readdirSync(env.DATA_DIR), []);
});

test('after kill -9 nothing is left running, and the next start has the data', async (t) => {
  const env = environment('used');
  const main = await startMain(t, env);
  const [token = ''] = toPaste(main);
  const engines = enginesOf(env.DATA_DIR);
  assert.ok(engines.length >= 5 && engines.every(isRunning));
  main.child.kill('SIGKILL');
  await main.ended;
  await allGone(engines);
  assert.deepEqual(processesOf(env.DATA_DIR), []);

  const again = await startMain(t, env);
  const [, post = ''] = toPaste(again);
  assert.match(paste(token, post)[0]!, /^[\da-f-]{36}$/, 'a token outlives a restart');
  again.child.kill('SIGTERM');
  assert.equal(await again.ended, 0, again.text());
});

test('a store that cannot be reached stops the engines that were started beside it', async (t) => {
  const env = environment('used');
  const redisUrl = `redis://:canary@127.0.0.1:${await freePort()}`;
  const main = run(t, 'main.js', { ...env, REDIS_URL: redisUrl });
  assert.equal(await main.ended, 1);
  assert.match(main.text(), /Redis \(REDIS_URL\)/);
  assert.doesNotMatch(main.text(), /canary/);
  assert.deepEqual(processesOf(env.DATA_DIR), []);
});

test('a signal while the engines start leaves nothing behind', async (t) => {
  const env = environment('used');
  const main = run(t, 'main.js', env);
  await main.wrote(/redis|vectors|coach/);
  main.child.kill('SIGINT');
  const code = await main.ended;
  assert.ok(code === 0 || code === 1 || code === 130, String(code));
  await sleep(300);
  await noneOf(env.DATA_DIR);
});
