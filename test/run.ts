/**
 * The runner behind `npm test`: one embedded Postgres and one embedded Redis for all test files, then `node --test`.
 * Words after `npm test --` choose the files whose path contains one of them.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../config.ts';
import { packagePath } from '../package-path.ts';
import type { Engine } from '../db/embedded/engine.ts';
import { startPostgres } from '../db/embedded/postgres.ts';
import { startRedis } from '../db/embedded/redis.ts';

/** Longest run of one test, and of one file, in milliseconds. Long runs by command need more. */
const TEST_TIMEOUT_MS = Number(process.env['TEST_TIMEOUT_MS'] ?? 300_000);

/** Files run at a time. Each is a process of its own; the machines this must be quick on have two cores. */
const CONCURRENCY = 2;

/** Compiled tests that still have a source: what a deleted file left in `dist` is not run. */
async function compiledTests(filters: readonly string[]): Promise<string[]> {
  const sources = await readdir(packagePath('test'), { recursive: true });
  return sources
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => path.join('test', file))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .map((file) => packagePath('dist', file.replace(/\.ts$/, '.js')))
    .toSorted();
}

/** Runs `work` with both engines up. They are stopped and their data is removed however it ends. */
async function withEngines(work: (env: NodeJS.ProcessEnv) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'daodao-test-'));
  // Postgres refuses to run as root, so its unprivileged user must be able to pass through.
  await chmod(dataDir, 0o711);
  const engines: Engine[] = [];
  try {
    const postgres = await startPostgres({ dataDir });
    engines.push(postgres);
    const redis = await startRedis({ dataDir, cacheDir: loadConfig().cacheDir });
    engines.push(redis);
    await work({ ...process.env, TEST_DATABASE_URL: postgres.url, TEST_REDIS_URL: redis.url });
  } finally {
    const stopped = await Promise.allSettled(engines.map((engine) => engine.stop()));
    await rm(dataDir, { recursive: true, force: true });
    for (const result of stopped) if (result.status === 'rejected') process.exitCode = 1;
  }
}

/** Runs `node --test`; resolves with its exit code. An abort ends it, and it ends its test files. */
async function runTests(
  files: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  if (signal.aborted) return 1;
  const options = [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
  ];
  const child = spawn(process.execPath, [...options, ...files], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  signal.addEventListener('abort', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => interrupted.abort());
}
const filters = process.argv.slice(2);
const files = await compiledTests(filters);
if (files.length === 0) {
  process.stderr.write(`No test file has ${filters.join(' or ')} in its path.\n`);
  process.exitCode = 1;
} else {
  await withEngines(async (env) => {
    process.exitCode = await runTests(files, env, interrupted.signal);
  });
}
