import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFlags } from '../../cli/flags.ts';
import { run } from '../support/app/process.ts';

test('flags stand for settings', () => {
  const words = ['--role', 'worker', '--queues=ai_tasks,default', '--threads', '2'];
  assert.deepEqual(readFlags([...words, '--concurrency', '16']), {
    kind: 'settings',
    settings: {
      ROLE: 'worker',
      WORKER_QUEUES: 'ai_tasks,default',
      WORKER_THREADS: '2',
      WORKER_CONCURRENCY: '16',
    },
  });
  assert.deepEqual(readFlags([]), { kind: 'settings', settings: {} });
});

for (const [words, sentence] of [
  [['--qeues', 'a'], /^There is no flag --qeues\. Did you mean --queues\?\n/],
  [['--constructor'], /^There is no flag --constructor\.\n/],
  [['-x'], /^There is no flag -x\.\n/],
  [['worker'], /^"worker" is not a flag\.\n/],
  [['--threads'], /^--threads needs a value\.\n/],
  [['--threads', '--role', 'api'], /^--threads needs a value\.\n/],
  [['--queues', ' '], /^--queues needs a value\.\n/],
] as const) {
  test(`"${words.join(' ')}" is refused with a hint`, () => {
    const flags = readFlags(words);
    assert.equal(flags.kind, 'problem');
    assert.match(flags.text, sentence);
    assert.match(flags.text, /--concurrency <integer>/);
  });
}

test('a process tells its flags, and ends with 0', async (t) => {
  const main = run(t, 'main.js', {}, ['--help']);
  assert.equal(await main.ended, 0);
  assert.match(main.text(), /--role <all\|api\|worker\|scheduler> .*Default: ROLE, or all\./);
});

test('a process with a flag that does not exist ends with 2', async (t) => {
  const main = run(t, 'main.js', {}, ['--rol', 'worker']);
  assert.equal(await main.ended, 2);
  assert.match(main.text(), /Did you mean --role\?/);
});

test('flags go before the environment, and are checked like it', async (t) => {
  const env = { ROLE: 'worker', WORKER_THREADS: '2' };
  const main = run(t, 'main.js', env, ['--role', 'wroker', '--threads', '65']);
  assert.equal(await main.ended, 1);
  assert.match(main.text(), /ROLE must be one of .*, not "wroker"\. Did you mean worker\?/);
  assert.match(main.text(), /WORKER_THREADS must be a whole number from 1 to 64, not "65"/);
});
