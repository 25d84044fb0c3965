/**
 * Identifies processes despite the reuse of process ids, and ends them reliably.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessMark {
  pid: number;
  /** In the system's notation; tells the process from a later one with the same id. */
  startedAt: string;
}

/** @returns undefined if no process has the id, or only a zombie. */
export function markProcess(pid: number): ProcessMark | undefined {
  try {
    if (existsSync('/proc/self/stat')) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name, in parentheses, may contain any character. State is the first field after it, start time the 20th.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : { pid, startedAt: fields[19] ?? '' };
    }
    process.kill(pid, 0);
    if (process.platform === 'win32') return { pid, startedAt: '' };
    const startedAt = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
    });
    return { pid, startedAt: startedAt.trim() };
  } catch {
    return undefined;
  }
}

export function isRunning({ pid, startedAt }: ProcessMark): boolean {
  return markProcess(pid)?.startedAt === startedAt;
}

export interface Leftover extends ProcessMark {
  signal: NodeJS.Signals;
}

/** Sends each process its signal, and SIGKILL after `patienceMs`. Resolves once all have ended. */
export async function endProcesses(
  leftovers: readonly Leftover[],
  patienceMs: number,
): Promise<void> {
  for (const leftover of leftovers) send(leftover, leftover.signal);
  const deadline = performance.now() + patienceMs;
  while (leftovers.some(isRunning)) {
    if (performance.now() > deadline) for (const leftover of leftovers) send(leftover, 'SIGKILL');
    await sleep(25);
  }
}

function send(leftover: Leftover, signal: NodeJS.Signals): void {
  try {
    if (isRunning(leftover)) process.kill(leftover.pid, signal);
  } catch (error) {
    // It ended between the check and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The command line of a process; empty if there is none, or for a zombie. */
export function commandOf(pid: number): string {
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
