/**
 * An embedded engine: a real server (or a local stand-in, called that) run for this process on a free port.
 */
import { fork } from 'node:child_process';

export interface Engine {
  /** The word used in logs: postgres, redis, clickhouse, vectors, coach. */
  name: string;
  /** Where clients reach it. */
  url: string;
  /** What it is, for people: product and version, or "local vector store, not Qdrant". */
  note: string;
  /** The process to end if its parent dies without a word. */
  pid: number;
  /** Ends it cleanly and waits until it is gone. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ForkOptions {
  name: string;
  /** Compiled module to run; it calls `serveAsEngine`. */
  module: URL;
  /** Handed to the module as JSON. */
  options: Record<string, unknown>;
  /** Longest wait until it is ready, in milliseconds. Default 20,000. */
  startTimeoutMs?: number;
}

interface Ready {
  url: string;
  note: string;
}

/** Why the child gives up, for people. */
interface Failed {
  error: string;
}

/**
 * Runs an engine written in this project in a child process of its own process group, so that Ctrl-C reaches only the
 * parent. The child ends when the parent does: its IPC channel closes.
 */
export async function forkEngine({
  name,
  module,
  options,
  startTimeoutMs = 20_000,
}: ForkOptions): Promise<Engine> {
  const child = fork(module, [JSON.stringify(options)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await new Promise<Ready>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${name} did not start within ${startTimeoutMs} ms`));
    }, startTimeoutMs);
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

/**
 * The child's side of `forkEngine`: starts the server, reports where it is, and stops it when the parent lets go or dies.
 * A server that does not start is reported by its error, which `forkEngine` throws.
 */
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
  // A parent that is gone by now needs no telling: its disconnect ends this process.
  process.send?.({ url, note } satisfies Ready, () => undefined);
}
