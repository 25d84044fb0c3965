/**
 * Spawns third-party servers with a log file, waits until they answer, and ends them reliably.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandOf, endProcesses, markProcess } from './process.ts';

export interface Account {
  uid: number;
  gid: number;
}

export interface ServerOptions {
  name: string;
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** The unprivileged account to run under; root only. */
  account?: Account | undefined;
  /** Receives stdout and stderr. A pipe would block or kill the server once the parent died. */
  logFile: string;
  /** Resolves once the server with that process id answers; retried every 15 ms while it rejects. */
  probe(pid: number): Promise<unknown>;
  /** Receives the process id at once, so that the keeper can end a server whose parent dies during the start. */
  onSpawn?: ((pid: number) => void) | undefined;
  /** Sent in turn, 8 s apart, before SIGKILL. */
  stopSignals: readonly NodeJS.Signals[];
}

export interface Server {
  pid: number;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 20_000;
const PROBE_EVERY_MS = 15;
const SIGNAL_EVERY_MS = 8000;

/**
 * Starts a server in its own process group, so that Ctrl-C reaches only the parent, which stops it in order.
 * @throws with the end of the log if the server exits before it answers, or does not answer within 20 s.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { name, command, args, env, account, logFile, stopSignals } = options;
  const log = openSync(logFile, 'w', 0o600);
  const child = spawn(command, args, {
    detached: true,
    cwd: '/',
    stdio: ['ignore', log, log],
    env: env ?? process.env,
    ...account,
  });
  closeSync(log);
  if (child.pid !== undefined) options.onSpawn?.(child.pid);
  let ended: string | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => resolve(void (ended = error.message)));
    child.once('exit', (code, signal) =>
      resolve(void (ended = signal === null ? `exit code ${code}` : signal)),
    );
  });
  const stop = async () => {
    for (const signal of [...stopSignals, 'SIGKILL'] as const) {
      if (ended !== undefined) return;
      child.kill(signal);
      await settledWithin(gone, SIGNAL_EVERY_MS);
    }
  };
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (ended === undefined && performance.now() < deadline) {
    try {
      await options.probe(child.pid!);
      return { pid: child.pid!, stop };
    } catch {
      await settledWithin(gone, PROBE_EVERY_MS);
    }
  }
  const reason = ended ?? `no answer within ${START_TIMEOUT_MS / 1000} s`;
  await stop();
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-8);
  throw new Error(`${name} did not start (${reason}):\n${lines.join('\n')}`);
}

async function settledWithin(promise: Promise<void>, waitMs: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([
    promise,
    sleep(waitMs, undefined, { signal: timer.signal }).catch(() => undefined),
  ]);
  timer.abort();
}

/**
 * Ends the server that a crashed parent left running, and removes its pid file: Postgres refuses to start while a process
 * has that id. An unrelated process that has the id by now is spared.
 * @param marker the path of the data directory, which is part of the server's command line.
 */
export async function endOrphan(
  pidFile: string,
  marker: string,
  signal: NodeJS.Signals,
): Promise<void> {
  if (!existsSync(pidFile)) return;
  const mark = markProcess(Number.parseInt(readFileSync(pidFile, 'utf8'), 10));
  if (mark !== undefined && commandOf(mark.pid).includes(marker))
    await endProcesses([{ ...mark, signal }], SIGNAL_EVERY_MS);
  rmSync(pidFile, { force: true });
}
