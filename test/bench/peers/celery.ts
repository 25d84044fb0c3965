/**
 * Celery as Debian packages it, draining a list of messages on the same Redis.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { packagePath } from '../../../base/package-path.ts';
import type { BenchRedis } from '../redis.ts';
import { monotonicMs } from './peer.ts';

/** Debian's own; another Python on the PATH would not see its packages. */
const PYTHON = '/usr/bin/python3';
const FOLDER = packagePath('test', 'bench', 'children');
const RUN_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5000;

export type CeleryPool = (typeof CELERY_POOLS)[number];
export const CELERY_POOLS = ['solo', 'prefork'] as const;

/** Its version; undefined where it is not installed. */
export async function celeryVersion(): Promise<string | undefined> {
  const code = 'import celery, redis; print(celery.__version__)';
  const found = await promisify(execFile)(PYTHON, ['-c', code]).catch(() => undefined);
  return found?.stdout.trim();
}

/** The Redis list of this many messages, to be restored for every round: adding them takes Celery longer than draining. */
export async function celeryMessages(redis: BenchRedis, jobs: number): Promise<Buffer> {
  const options = { cwd: FOLDER, env: environment(redis), timeout: RUN_TIMEOUT_MS };
  await promisify(execFile)(PYTHON, ['celery_app.py', String(jobs)], options);
  return redis.client.dumpBuffer('celery');
}

/** @returns jobs per second, from the first message taken to the last acknowledged. */
export async function drainCelery(
  redis: BenchRedis,
  messages: Buffer,
  pool: CeleryPool,
): Promise<number> {
  const { client } = redis;
  await client.restore('celery', 0, messages);
  const jobs = await client.llen('celery');
  const worker = startWorker(redis, pool);
  const failure = failureOf(worker);
  try {
    const drained = async (): Promise<number> => {
      await redis.until(
        async () => worker.exitCode !== null || (await client.llen('celery')) < jobs,
      );
      const startMs = monotonicMs();
      await redis.until(async () => {
        if (worker.exitCode !== null) return true;
        return (await client.llen('celery')) === 0 && (await client.hlen('unacked')) === 0;
      });
      return (jobs * 1000) / (monotonicMs() - startMs);
    };
    return await Promise.race([drained(), failure.promise]);
  } finally {
    failure.cancel();
    await end(worker);
  }
}

/** @param app the module with its tasks, below `children/`. */
export function startWorker(redis: BenchRedis, pool: CeleryPool, app = 'celery_app'): ChildProcess {
  const quiet = ['--loglevel=ERROR', '--without-gossip', '--without-mingle', '--without-heartbeat'];
  const processes = pool === 'prefork' ? ['--concurrency=2'] : [];
  const args = ['-m', 'celery', '-A', app, 'worker', `--pool=${pool}`];
  return spawn(PYTHON, [...args, ...processes, ...quiet], {
    cwd: FOLDER,
    env: environment(redis),
    stdio: 'ignore',
  });
}

/** Rejects when the worker ends or takes too long. */
function failureOf(worker: ChildProcess): { promise: Promise<never>; cancel(): void } {
  const controller = new AbortController();
  const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(RUN_TIMEOUT_MS)]);
  const promise = once(worker, 'exit', { signal }).then(([code]): never => {
    throw new Error(`the Celery worker ended with exit code ${String(code)}`);
  });
  promise.catch(() => undefined);
  return { promise, cancel: () => controller.abort() };
}

/** Runs a module with Debian's Python, its input and output piped. */
export function startPython(redis: BenchRedis, file: string): ChildProcess {
  const stdio = ['pipe', 'pipe', 'inherit'] as const;
  return spawn(PYTHON, [file], { cwd: FOLDER, env: environment(redis), stdio: [...stdio] });
}

/** In order if it can, for certain if not. */
export async function end(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exited = once(worker, 'exit');
  worker.kill('SIGTERM');
  const killer = setTimeout(() => worker.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(killer);
}

function environment({ url }: BenchRedis): NodeJS.ProcessEnv {
  return {
    ...process.env,
    BENCH_REDIS_URL: `${url}/0`,
    PYTHONDONTWRITEBYTECODE: '1',
    // Without it Celery warns every root user.
    C_FORCE_ROOT: '1',
  };
}
