/**
 * What runners of tests share: the compiled files, one embedded Postgres and one embedded Redis for all of them, and `node --test`.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../config.ts';
import { packagePath } from '../../package-path.ts';
import type { Engine } from '../../db/embedded/engine.ts';
import { startPostgres } from '../../db/embedded/postgres.ts';
import { startRedis } from '../../db/embedded/redis.ts';

/**
 * Compiled tests that still have a source: what a deleted file left in `dist` is not run.
 * @param isWanted told the path of a source, from the package.
 */
export async function compiledTests(isWanted: (file: string) => boolean): Promise<string[]> {
  const sources = await readdir(packagePath('test'), { recursive: true });
  return sources
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => path.join('test', file))
    .filter(isWanted)
    .map((file) => packagePath('dist', file.replace(/\.ts$/, '.js')))
    .toSorted();
}

/** Runs `work` with both engines up. They are stopped and their data is removed however it ends. */
export async function withEngines(work: (env: NodeJS.ProcessEnv) => Promise<void>): Promise<void> {
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

export interface TestRun {
  files: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Files run at a time, each in a process of its own. */
  concurrency: number;
  /** Longest run of one test, and of one file, in milliseconds. */
  timeoutMs: number;
}

/** Runs `node --test`; resolves with its exit code. An abort ends it, and it ends its test files. */
export async function runTests(
  { files, env, concurrency, timeoutMs }: TestRun,
  signal: AbortSignal,
): Promise<number> {
  if (signal.aborted) return 1;
  const options = [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${timeoutMs}`,
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

/** Aborted by the signals that end a process. */
export function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interrupted.abort());
  }
  return interrupted.signal;
}
