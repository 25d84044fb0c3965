/** Bugs that the gate cannot see, as its trials have one job: a test of `npm test` must notice each. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import path from 'node:path';
import test from 'node:test';
import { HANG_MS } from '../../support/patience.ts';
import { report } from '../experiment.ts';
import { buildMutant } from './mutant-program.ts';
import type { Patch } from './mutants.ts';

interface UnitMutant {
  name: string;
  patches: readonly Patch[];
  /** Compiled test file, below `dist`. */
  file: string;
  /** The test that must fail. */
  title: string;
}

const LINE = 'dist/workers/thread/line.js';

const MUTANTS: readonly UnitMutant[] = [
  {
    name: 'a call that Postgres refuses fails those that share its statement',
    patches: [
      {
        file: 'dist/db/stores/group.js',
        from: 'const isFinal = taken.length === 1 || !mayBeOfOne(error);',
        to: 'const isFinal = true;',
      },
    ],
    file: 'test/db/tasks/together.test.js',
    title: 'what Postgres refuses',
  },
  {
    name: 'calls are answered before the statement that accepts them is committed',
    patches: [
      {
        file: 'dist/db/tasks/acceptor.js',
        from: 'return await acceptTogether(pool, requests);',
        to: `const client = await pool.connect();
        await client.query('BEGIN');
        const answers = await acceptTogether(client, requests);
        void client.query('COMMIT').catch(() => undefined).finally(() => client.release());
        return answers;`,
      },
    ],
    file: 'test/db/tasks/together.test.js',
    title: 'what is refused by its commit, and nobody is answered before that',
  },
  {
    name: 'a stale attempt counts as settled since its neighbours are',
    patches: [
      {
        file: 'dist/db/tasks/attempts.js',
        from: 'settled[n - 1] = true;',
        to: 'settled.fill(n > 0);',
      },
    ],
    file: 'test/workers/thread/grouped-attempts.test.js',
    title: 'are judged by their own epochs: a stale one is told, and its neighbours are settled',
  },
  {
    name: 'a job occupies its slot until its outcome is stored',
    patches: [
      { file: LINE, from: 'this.#running--;', to: '' },
      {
        file: LINE,
        from: 'this.#handled.delete(job.id);',
        to: 'this.#handled.delete(job.id); this.#running--;',
      },
    ],
    file: 'test/workers/thread/line.test.js',
    title: 'a job that is being settled occupies no slot, and is told to have been handled',
  },
  {
    name: 'a job cannot be aborted before it runs',
    patches: [{ file: LINE, from: 'this.#stops.set(job.id, stop);', to: '' }],
    file: 'test/workers/thread/line.test.js',
    title: 'an abort reaches a job that is being opened, which then does not run',
  },
];

test('every planted bug makes the test fail that is there for it', async (t) => {
  const violations: string[] = [];
  for (const { name, patches, file, title } of MUTANTS) {
    const { failed, passed } = await runTests(patches, file);
    t.diagnostic(`${name}: ${failed.join('; ') || 'nothing'} failed, ${passed} passed`);
    if (!failed.includes(title)) violations.push(`"${name}" survived ${file}: "${title}"`);
    if (passed === 0) violations.push(`"${name}" breaks all of ${file}, and so proves nothing`);
  }
  report(t, {
    figure: `${MUTANTS.length} planted bugs, one test file each`,
    result: `${MUTANTS.length - violations.length} noticed`,
    violations,
  });
});

/** @returns the titles of the tests that fail, and how many pass. */
async function runTests(
  patches: readonly Patch[],
  file: string,
): Promise<{ failed: string[]; passed: number }> {
  const program = await buildMutant(patches, { withTests: true });
  try {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(
      process.execPath,
      ['--test-reporter=tap', path.join(program.folder, file)],
      { env, stdio: ['ignore', 'pipe', 'inherit'], timeout: HANG_MS },
    );
    const told = await text(child.stdout);
    const titles = (outcome: string): string[] =>
      [...told.matchAll(new RegExp(`^ *${outcome} \\d+ - (.*)$`, 'gm'))].map(([, title]) => title!);
    return { failed: titles('not ok'), passed: titles('ok').length };
  } finally {
    await program.remove();
  }
}
