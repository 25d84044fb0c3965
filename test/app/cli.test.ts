import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { run } from '../support/process.ts';

test('the list of settings hides secrets and passwords', async (t) => {
  const cli = run(
    t,
    'cli.js',
    {
      DATABASE_URL: 'postgres://somebody:canary-password@db/daodao',
      OPENAI_API_KEY: 'canary-key',
      JWT_SECURITY: 'canary-secret-of-tests',
      QDRANT_API_KEY: 'canary-key',
    },
    ['config'],
  );
  assert.equal(await cli.ended, 0);
  assert.match(cli.text(), /^JWT_SECURITY=\(set, hidden\)$/m);
  assert.match(cli.text(), /^DATABASE_URL=postgres\S*:\*\*\*@/m);
  assert.match(cli.text(), /^LEASE_MS=15000 ms {3}\(default\)$/m);
  assert.match(cli.text(), /^QUEUE_PREFIX=daodao {3}\(default\)$/m);
  assert.doesNotMatch(cli.text(), /canary/);
});

test('the list of settings ends with an error when they are not usable', async (t) => {
  const cli = run(t, 'cli.js', { ROLE: 'wroker' }, ['config']);
  assert.equal(await cli.ended, 1);
  assert.match(cli.text(), /^ROLE=wroker$/m);
  assert.match(cli.text(), /^DATABASE_URL=\(unset\)$/m);
  assert.match(cli.text(), /Did you mean worker\?/);
});

test('all data is deleted only when that is said twice', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'daodao-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const dataDir = path.join(folder, 'data');
  await mkdir(path.join(dataDir, 'redis'), { recursive: true });
  const env = { DATA_DIR: path.relative(process.cwd(), dataDir) };
  const asked = run(t, 'cli.js', env, ['reset']);
  assert.equal(await asked.ended, 2);
  assert.equal(asked.text(), `This deletes all data in ${dataDir} for good. To do it: --yes\n`);
  assert.deepEqual(await readdir(dataDir), ['redis']);
  const done = run(t, 'cli.js', env, ['reset', '--yes']);
  assert.equal(await done.ended, 0, done.text());
  assert.equal(done.text(), `${dataDir} is empty.\n`);
  assert.deepEqual(await readdir(dataDir), []);
});

test('an unknown command ends with 2 and where to look, and nothing scrolls that away', async (t) => {
  const cli = run(t, 'cli.js', {}, ['nonsense']);
  assert.equal(await cli.ended, 2);
  assert.equal(
    cli.text(),
    'There is no command "nonsense".\nnpm run cli -- help lists the commands.\n',
  );
});

for (const name of ['constructor', 'toString', '__proto__']) {
  test(`"${name}" is no command either`, async (t) => {
    const cli = run(t, 'cli.js', {}, [name]);
    assert.equal(await cli.ended, 2);
  });
}

for (const words of [[], ['help'], ['--help'], ['-h']]) {
  test(`"cli ${words.join(' ')}" lists the commands`, async (t) => {
    const cli = run(t, 'cli.js', {}, words);
    assert.equal(await cli.ended, 0);
    for (const command of ['config', 'migrate', 'seed', 'reset'])
      assert.match(cli.text(), new RegExp(`^  ${command} `, 'm'));
  });
}

for (const [words, sentence] of [
  [
    ['migrate', '--sed'],
    /does not take "--sed"\. Did you mean --seed\?\nUsage: .* migrate \[--seed/,
  ],
  [['reset', 'extra'], /does not take "extra"\.\nUsage: npm run cli -- reset \[--yes\]\n/],
  [['config', '--json'], /does not take "--json"\.\nUsage: npm run cli -- config\n/],
  [['migrat'], /no command "migrat"\. Did you mean migrate\?/],
  [['--hlep'], /no command "--hlep"\. Did you mean --help\?/],
  [['migrate', '--hepl'], /does not take "--hepl"\. Did you mean --help\?/],
] as const) {
  test(`"${words.join(' ')}" ends with 2 and a hint`, async (t) => {
    const cli = run(t, 'cli.js', {}, words);
    assert.equal(await cli.ended, 2);
    assert.match(cli.text(), sentence);
  });
}
