import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { packagePath } from '../../../base/package-path.ts';
import { isRunning, type ProcessMark } from '../../../db/embedded/host/process.ts';
import { freePort } from '../../../db/embedded/host/port.ts';
import { eventually } from '../../support/queue/consumers.ts';
import {
  dataDirectories,
  enginesOf,
  paste,
  processesOf,
  startMain,
  toPaste,
} from '../../support/stores/embedded-start.ts';
import { HANG_MS } from '../../support/patience.ts';
import { run } from '../../support/app/process.ts';

/** `used` is a directory that tests hand on: what one of them leaves is no start on nothing. */
const environment = dataDirectories(after);

const allGone = (engines: readonly ProcessMark[]): Promise<void> =>
  eventually('the engines end', () => !engines.some(isRunning));

const noneOf = (dataDir: string): Promise<void> =>
  eventually('the engines end', () => processesOf(dataDir).length === 0);

for (const file of ['cli/demo/main.js', 'main.js']) {
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
