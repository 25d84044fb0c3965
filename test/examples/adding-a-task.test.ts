/**
 * The worked example of docs/tasks.md, made in a copy of the project: it compiles, keeps the floors, and does what it says.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { packagePath } from '../../base/package-path.ts';
import { problemsOf } from '../house/floors.ts';
import { readTree } from '../house/tree.ts';
import { createBearer } from '../support/app/app.ts';
import { environmentOf, run } from '../support/app/process.ts';
import { insertCheckIn, insertPractice, insertUser } from '../support/domain/practices.ts';
import { testConfig } from '../support/config.ts';
import { eventually } from '../support/queue/consumers.ts';
import { createTestDatabase } from '../support/stores/postgres.ts';
import { createTestRedis } from '../support/stores/redis.ts';

interface Task {
  name: string;
  status: string;
  result: object;
}

interface Change {
  kind: 'ts' | 'diff';
  file: string;
  lines: string[];
}

/** The changes of the section, in order. */
async function changesOf(heading: string): Promise<Change[]> {
  const page = await readFile(packagePath('docs', 'tasks.md'), 'utf8');
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  return [...section.matchAll(/^ +```(ts|diff) (\S+)\n([\s\S]*?)\n +```$/gm)].map(
    ([, kind, file, body]) => ({
      kind: kind as Change['kind'],
      file: file!,
      lines: body!.split('\n').map((line) => line.slice(3)),
    }),
  );
}

/** Lines with a plus come after the line above them, which must be there once. */
function apply(source: string, lines: readonly string[]): string {
  let text = source;
  let context = '';
  for (const line of lines) {
    if (line === '') continue;
    const rest = `${line.slice(1)}\n`;
    if (line.startsWith('+')) {
      assert.equal(text.split(context).length, 2, `this stands there once: ${context}`);
      text = text.replace(context, () => context + rest);
      context += rest;
    } else context = rest;
  }
  return text;
}

async function copyProject(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'daodao-example-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const parts = ['api', 'base', 'cli', 'db', 'jobs', 'scheduler', 'workers', 'package.json'];
  const files = (await readdir(packagePath())).filter((name) =>
    /\.ts$|^tsconfig\.json$/.test(name),
  );
  for (const part of [...parts, ...files, 'test/support']) {
    await cp(packagePath(part), path.join(folder, part), { recursive: true });
  }
  await symlink(packagePath('node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

test('a task with its schedule and route, added by the page alone', async (t) => {
  const folder = await copyProject(t);
  const changes = await changesOf('Adding a task');
  const [own, ...others] = changes.map(({ file }) => file);
  assert.equal(own, 'jobs/check-ins/task.ts');
  const touched = others.filter((file) => !file.startsWith('test/'));
  assert.ok(touched.length <= 4, `${touched.length} files outside of its folder`);
  for (const { kind, file, lines } of changes) {
    const target = path.join(folder, file);
    await mkdir(path.dirname(target), { recursive: true });
    const text =
      kind === 'ts' ? `${lines.join('\n')}\n` : apply(await readFile(target, 'utf8'), lines);
    await writeFile(target, text);
  }
  assert.deepEqual(problemsOf(readTree(folder)), []);
  const tsc = packagePath('node_modules', '.bin', 'tsc');
  await promisify(execFile)(tsc, [], { cwd: folder });

  await promisify(execFile)(process.execPath, ['dist/test/jobs/check-ins/task.test.js'], {
    cwd: folder,
  });

  const database = await createTestDatabase();
  const redis = createTestRedis();
  t.after(async () => {
    await redis.clear();
    await database.drop();
  });
  const config = testConfig({
    databaseUrl: database.url,
    redisUrl: redis.url,
    queuePrefix: redis.prefix,
  });
  const { DATABASE_URL, REDIS_URL, JWT_SECURITY, QUEUE_PREFIX, LEASE_MS } = environmentOf(config);
  // The other stores are embedded ones, of which this task uses none.
  const env = { DATABASE_URL, REDIS_URL, JWT_SECURITY, QUEUE_PREFIX, LEASE_MS, PORT: '0' };
  const program = path.relative(packagePath('dist'), path.join(folder, 'dist', 'main.js'));
  const more = { WORKER_THREADS: '1', DATA_DIR: path.join(folder, '.data') };
  const main = run(t, program, { ...(env as Record<string, string>), ...more });
  const [, origin = ''] = await main.wrote(/back end on (http:\/\/\S+)/);

  const user = await insertUser(database.pool);
  const practice = await insertPractice(database.pool, user.id);
  const today = new Date().toISOString().slice(0, 10);
  for (const day of [today, '2026-01-05']) {
    await insertCheckIn(database.pool, practice.id, user.id, day, {});
  }
  const call = async <T>(method: string, where: string, roles: string[] = []): Promise<T> => {
    const authorization = await createBearer(user, config.jwtSecurity, roles);
    const answer = await fetch(new URL(where, origin), { method, headers: { authorization } });
    assert.ok(answer.ok, `${where}: ${answer.status}`);
    return (await answer.json()) as T;
  };
  const accepted = await call<{ status_url: string }>('POST', '/users/me/check-ins/count');
  let task: Task | undefined;
  await eventually('it is done', async () => {
    task = await call<Task>('GET', `${accepted.status_url}?wait=5`);
    return task.status === 'done';
  });
  assert.deepEqual([task?.name, task?.result], ['count_check_ins', { checkIns: 1 }]);
  const { schedules } = await call<{ schedules: { name: string }[] }>('GET', '/schedules', [
    'admin',
  ]);
  assert.ok(schedules.some((schedule) => schedule.name === 'count-check-ins'));
  main.child.kill('SIGTERM');
  await main.ended;
});
