/**
 * Servers that are programs of their own: spawned with a log file, awaited until they answer, ended for certain.
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
  /** Unprivileged account to run under; only root may ask for one. */
  account?: Account | undefined;
  /** Takes both output streams. A file, so that the server never blocks on, or dies of, a pipe its parent left. */
  logFile: string;
  /** Resolves once the server of that process id answers; asked again every 15 ms while it throws. */
  probe(pid: number): Promise<unknown>;
  /** Told the process id at once, so that somebody can end it should this process die while it starts. */
  onSpawn?: ((pid: number) => void) | undefined;
  /** Sent in turn until it is gone, 8 s apart. */
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
 * Starts a server in its own process group (Ctrl-C in a terminal reaches only the parent, which then stops it in order).
 * @throws with the end of its log when it ends, or stays silent for 20 s, before it answers.
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
  throw new Error(`${name} did not start (${reason}):\n${endOf(logFile)}`);
}

/** Waits for a promise, but no longer than this. */
async function settledWithin(promise: Promise<void>, waitMs: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([
    promise,
    sleep(waitMs, undefined, { signal: timer.signal }).catch(() => undefined),
  ]);
  timer.abort();
}

function endOf(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
}

/**
 * Ends the server a crashed parent left on a data directory, and removes its pid file: the number in it may meanwhile
 * belong to anything else, which is left alone (and over which Postgres would refuse to start).
 * @param marker stands in the command line of the server: the path of its data directory.
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
