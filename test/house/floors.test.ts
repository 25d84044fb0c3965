/**
 * The table of floors guards the house, so something must guard the table: every rule is broken on purpose, once.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { problemsOf } from './floors.ts';
import { readTree, type SourceFile } from './tree.ts';

/** A file that keeps every rule, but for what is said of it. */
const source = (file: string, facts: Partial<SourceFile> = {}): SourceFile => ({
  file,
  lines: 10,
  imports: [],
  packages: [],
  ...facts,
});

/** What may not be imported, by who tries it. */
const CROSSINGS: Record<string, string[]> = {
  'base/a.ts': [
    'db/stores/postgres.ts',
    'jobs/define.ts',
    'api/context.ts',
    'main.ts',
    'cli/stores.ts',
  ],
  'db/stores/a.ts': ['db/tasks/rows.ts', 'db/daodao/cards.ts', 'db/embedded/engines.ts'],
  'db/embedded/redis/a.ts': ['db/embedded/postgres/start.ts', 'db/stores/cache.ts'],
  'db/tasks/a.ts': ['db/daodao/cards.ts', 'db/llm/calls.ts', 'jobs/tasks.ts'],
  'db/daodao/a.ts': ['db/tasks/rows.ts', 'jobs/framework/define.ts', 'workers/retry-decision.ts'],
  'jobs/queue/worker/a.ts': ['db/stores/postgres.ts', 'jobs/framework/define.ts', 'jobs/tasks.ts'],
  'jobs/framework/a.ts': [
    'jobs/tasks.ts',
    'jobs/resources.ts',
    'jobs/queue/broker/keys.ts',
    'db/daodao/cards.ts',
  ],
  'jobs/llm/a.ts': ['jobs/feedback/task.ts', 'db/daodao/cards.ts', 'jobs/queue/index.ts'],
  'jobs/feedback/a.ts': [
    'jobs/embeddings/task.ts',
    'jobs/queue/index.ts',
    'db/tasks/rows.ts',
    'db/stores/cache.ts',
    'api/context.ts',
  ],
  'jobs/a.ts': [
    'workers/retry-decision.ts',
    'scheduler/beat.ts',
    'jobs/queue/broker/keys.ts',
    'cli/stores.ts',
  ],
  'workers/main/a.ts': [
    'workers/thread/line.ts',
    'jobs/tasks.ts',
    'db/daodao/cards.ts',
    'api/context.ts',
    'scheduler/beat.ts',
    'app.ts',
  ],
  'workers/thread/a.ts': ['workers/main/pool.ts', 'jobs/resources.ts'],
  'scheduler/a.ts': [
    'workers/main/pool.ts',
    'api/context.ts',
    'jobs/schedules.ts',
    'db/daodao/cards.ts',
  ],
  'api/http/a.ts': ['api/tasks/routes.ts', 'api/feedback/routes.ts', 'jobs/tasks.ts'],
  'api/tasks/a.ts': ['api/feedback/routes.ts', 'jobs/feedback/task.ts', 'db/daodao/cards.ts'],
  'api/feedback/a.ts': ['workers/main/pool.ts', 'scheduler/beat.ts', 'db/embedded/engines.ts'],
  'app.ts': ['db/embedded/engines.ts', 'test/support/config.ts'],
};

describe('the table of floors', () => {
  for (const [file, imports] of Object.entries(CROSSINGS)) {
    for (const imported of imports) {
      test(`${file} may not import ${imported}`, () => {
        const problems = problemsOf([source(file, { imports: [imported] })]);
        assert.equal(problems.length, 1, problems.join('\n'));
        assert.ok(problems[0]?.startsWith(`${file} imports ${imported}`));
      });
    }
  }

  test('a package is imported at home alone', () => {
    const problemsOfImport = (file: string, name: string) =>
      problemsOf([source(file, { packages: [name] })]);
    for (const name of [
      'piscina',
      'openai',
      '@qdrant/js-client-rest',
      'pg',
      'ioredis',
      'fastify',
      'node:test',
    ]) {
      assert.equal(problemsOfImport('jobs/framework/a.ts', name).length, 1, name);
      assert.deepEqual(problemsOfImport('test/a.test.ts', name), [], name);
    }
    assert.deepEqual(problemsOfImport('jobs/llm/openai/a.ts', 'openai'), []);
  });

  test('a file in no room, one too long and a folder too full are told', () => {
    assert.match(problemsOf([source('utils/a.ts')]).join(), /no room/);
    assert.match(problemsOf([source('db/tasks/a.ts', { lines: 251 })]).join(), /251 lines/);
    const full = (folder: string) =>
      problemsOf(Array.from({ length: 15 }, (_, at) => source(`${folder}/a${at}.ts`)));
    assert.match(full('db/tasks').join(), /db\/tasks has 15/);
    assert.match(full('test/db/tasks').join(), /test\/db\/tasks has 15/);
    assert.deepEqual(full('test'), []);
  });

  test('a cycle is told with every file of it', () => {
    const [a, b] = ['db/tasks/a.ts', 'db/tasks/b.ts'];
    const problems = problemsOf([source(a, { imports: [b] }), source(b, { imports: [a] })]);
    assert.deepEqual(problems, [`${a} imports ${b} imports ${a}: a cycle.`]);
  });

  test('every way to import is read, types included', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'daodao-floors-'));
    t.after(() => rm(folder, { recursive: true }));
    const text = [
      `import type { A } from './a.ts';`,
      `export * from '../b.ts';`,
      `import {\n  c,\n} from './c.ts';`,
      `const d = () => import('./d.ts');`,
      `import './e.ts';`,
      `import { f } from '@scope/name/f';`,
    ];
    await mkdir(path.join(folder, 'db'));
    await writeFile(path.join(folder, 'db', 'x.ts'), `${text.join('\n')}\n`);
    assert.deepEqual(readTree(folder), [
      {
        file: 'db/x.ts',
        lines: 8,
        imports: ['db/a.ts', 'b.ts', 'db/c.ts', 'db/d.ts', 'db/e.ts'],
        packages: ['@scope/name'],
      },
    ]);
  });
});
