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

type Ready = Pick<Engine, 'url' | 'note'>;
interface Failed {
  error: string;
}

const START_TIMEOUT_MS = 20_000;

/**
 * Runs an engine of this project in a child process with its own process group, so that Ctrl-C reaches only the parent.
 * The child exits when its IPC channel closes, and so when the parent dies.
 * @param module compiled module that calls `serveAsEngine`, which receives `options` as JSON.
 * @throws if the child reports an error, exits, or is not ready within 20 s.
 */
export async function forkEngine(name: string, module: URL, options: object): Promise<Engine> {
  const child = fork(module, [JSON.stringify(options)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
  });
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

/** The child's side of `forkEngine`: reports the address or the error, and stops when the parent disconnects. */
export async function serveAsEngine<O>(
  start: (options: O) => Promise<Ready & { stop: () => Promise<void> }>,
): Promise<void> {
  let server: Awaited<ReturnType<typeof start>>;
  try {
    server = await start(JSON.parse(process.argv[2] ?? '{}') as O);
  } catch (error) {
    const failed: Failed = { error: error instanceof Error ? error.message : String(error) };
    process.send?.(failed, () => process.exit(1));
    return;
  }
  const { url, note } = server;
  process.once('disconnect', () => {
    void server.stop().finally(() => process.exit(0));
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => undefined);
  if (!process.connected) await server.stop().finally(() => process.exit(0));
  // Ignores a failed send: the parent has died, and its disconnect ends this process.
  process.send?.({ url, note } satisfies Ready, () => undefined);
}
