/**
 * The keeper: one small process that outlives a parent killed without a word, and ends the engines it leaves behind.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { markProcess, type Leftover } from './process.ts';

/** How long an engine may take to end cleanly, in milliseconds. */
const PATIENCE_MS = 5000;

export interface Keeper {
  /** Ends this process by this signal once the parent is gone. */
  watch(pid: number, signal: NodeJS.Signals): void;
  /** Lets the keeper go, and waits for it. Processes still watched and running are ended first. */
  close(): Promise<void>;
}

/**
 * Starts the keeper, in its own process group, so that what ends the parent's group spares it.
 * It listens on a pipe, which holds what was written even if the parent dies before the keeper is up.
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
  // Should the keeper die first, its pipe breaks; the engines are still stopped by the parent.
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
