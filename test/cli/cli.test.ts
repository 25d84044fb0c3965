import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { cliHost } from '../support/app/cli-host.ts';
import { run } from '../support/app/process.ts';

const runCli = cliHost({ after });
const cli = (...words: string[]) => runCli({ env: {}, words });

test('the list of settings hides secrets and passwords', async () => {
  const env = {
    DATABASE_URL: 'postgres://somebody:canary-password@db/daodao',
    OPENAI_API_KEY: 'canary-key',
    JWT_SECURITY: 'canary-secret-of-tests',
    QDRANT_API_KEY: 'canary-key',
  };
  const { code, text } = await runCli({ env, words: ['config'] });
  assert.equal(code, 0);
  assert.match(text, /^JWT_SECURITY=\(set, hidden\)$/m);
  assert.match(text, /^DATABASE_URL=postgres\S*:\*\*\*@/m);
  assert.match(text, /^LEASE_MS=15000 ms {3}\(default\)$/m);
  assert.match(text, /^QUEUE_PREFIX=daodao {3}\(default\)$/m);
  assert.doesNotMatch(text, /canary/);
});

test('the list of settings ends with an error when they are not usable', async () => {
  const { code, text } = await runCli({ env: { ROLE: 'wroker' }, words: ['config'] });
  assert.equal(code, 1);
  assert.match(text, /^ROLE=wroker$/m);
  assert.match(text, /^DATABASE_URL=\(unset\)$/m);
  assert.match(text, /Did you mean worker\?/);
});

test('all data is deleted only when that is said twice', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'daodao-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const dataDir = path.join(folder, 'data');
  await mkdir(path.join(dataDir, 'redis'), { recursive: true });
  const env = { DATA_DIR: path.relative(process.cwd(), dataDir) };
  const asked = await runCli({ env, words: ['reset'] });
  assert.equal(asked.code, 2);
  assert.equal(asked.text, `This deletes all data in ${dataDir} for good. To confirm: --yes\n`);
  assert.deepEqual(await readdir(dataDir), ['redis']);
  const done = await runCli({ env, words: ['reset', '--yes'] });
  assert.equal(done.code, 0, done.text);
  assert.equal(done.text, `${dataDir} is empty.\n`);
  assert.deepEqual(await readdir(dataDir), []);
});

test('an unknown command ends with 2 and where to look, and nothing scrolls that away', async (t) => {
  // As a process of its own, which most of these tests do without.
  const alone = run(t, 'cli/main.js', {}, ['nonsense']);
  assert.equal(await alone.ended, 2);
  assert.equal(
    alone.text(),
    'There is no command "nonsense".\nnpm run cli -- help lists the commands.\n',
  );
});

for (const name of ['constructor', 'toString', '__proto__']) {
  test(`"${name}" is no command either`, async () => {
    assert.equal((await cli(name)).code, 2);
  });
}

for (const words of [[], ['help'], ['--help'], ['-h']]) {
  test(`"cli ${words.join(' ')}" lists the commands`, async () => {
    const { code, text } = await cli(...words);
    assert.equal(code, 0);
    for (const command of ['config', 'migrate', 'seed', 'reset'])
      assert.match(text, new RegExp(`^  ${command} `, 'm'));
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
  test(`"${words.join(' ')}" ends with 2 and a hint`, async () => {
    const { code, text } = await cli(...words);
    assert.equal(code, 2);
    assert.match(text, sentence);
  });
}
