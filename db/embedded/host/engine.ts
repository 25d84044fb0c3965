/**
 * Runs an embedded engine, a real server or a stand-in, for this process on a free loopback port.
 */
import { fork } from 'node:child_process';

export interface Engine {
  /** postgres, redis, clickhouse, vectors or coach. */
  name: string;
  url: string;
  /** Shown to people: product and version, or "local vector store, not Qdrant". */
  note: string;
  /** The process that the keeper ends if the parent is killed. */
  pid: number;
  /** Shuts down cleanly and waits for the exit. Safe to call twice. */
  stop(): Promise<void>;
}

export type Ready = Pick<Engine, 'url' | 'note'>;
export interface Failed {
  error: string;
}

/** Starts the server of an engine in this process. */
export type Serve<O> = (options: O) => Promise<Ready & { stop: () => Promise<void> }>;

const START_TIMEOUT_MS = 20_000;

/**
 * Runs an engine of this project in a child process with its own process group, so that Ctrl-C reaches only the parent.
 * The child exits when its IPC channel closes, and so when the parent dies.
 * @param module compiled module that exports `serve`, a `Serve`, which receives `options` as JSON.
 * @throws if the child reports an error, exits, or is not ready within 20 s.
 */
export async function forkEngine(name: string, module: URL, options: object): Promise<Engine> {
  const child = fork(
    new URL('./child.js', import.meta.url),
    [module.href, JSON.stringify(options)],
    {
      detached: true,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
    },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await new Promise<Ready>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${name} did not start within ${START_TIMEOUT_MS} ms`));
    }, START_TIMEOUT_MS);
    child.once('message', (message) => {
      clearTimeout(timer);
      const report = message as Ready | Failed;
      if ('error' in report) reject(new Error(`${name} did not start: ${report.error}`));
      else resolve(report);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`${name} ended while starting (${signal ?? `exit code ${code}`})`));
    });
  });
  return {
    name,
    ...ready,
    pid: child.pid!,
    async stop() {
      if (child.connected) child.disconnect();
      const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(killer);
    },
  };
}
