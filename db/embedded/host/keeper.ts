/**
 * The keeper: a small process that outlives a killed parent and ends the engines the parent left running.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { markProcess, type Leftover } from './process.ts';

const PATIENCE_MS = 5000;

export interface Keeper {
  /** Sends this signal to the process once the parent exits. */
  watch(pid: number, signal: NodeJS.Signals): void;
  /** Waits for the keeper to end the watched processes that still run, and to exit. */
  close(): Promise<void>;
}

/**
 * Starts the keeper in its own process group, so that a signal to the parent's group spares it. It reads a pipe, which
 * keeps what the parent wrote even if the parent dies before the keeper is up.
 */
export function startKeeper(patienceMs = PATIENCE_MS): Keeper {
  const file = fileURLToPath(new URL('./keeper-process.js', import.meta.url));
  const child = spawn(process.execPath, [file, String(patienceMs)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  // The pipe breaks if the keeper dies first; the parent still stops the engines.
  child.stdin.on('error', () => undefined);
  return {
    watch(pid, signal) {
      const mark = markProcess(pid);
      if (mark === undefined || child.stdin.destroyed) return;
      child.stdin.write(`${JSON.stringify({ ...mark, signal } satisfies Leftover)}\n`);
    },
    async close() {
      child.stdin.end();
      await gone;
    },
  };
}
