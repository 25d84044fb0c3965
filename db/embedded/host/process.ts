/**
 * Processes by number: told apart from later ones of the same number, and ended for certain.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that can still be told apart when its number has been given to another. */
export interface ProcessMark {
  pid: number;
  /** When it started, in the system's own notation. */
  startedAt: string;
}

/** Marks a running process; undefined when there is none of that number, or only a zombie. */
export function markProcess(pid: number): ProcessMark | undefined {
  try {
    if (existsSync('/proc/self/stat')) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name, in parentheses, may hold anything; state is the first field after it, start time the twentieth.
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

/** A process to end, and the signal on which it ends cleanly. */
export interface Leftover extends ProcessMark {
  signal: NodeJS.Signals;
}

/** Ends processes nobody waits for: each by its own signal, after `patienceMs` by SIGKILL. Resolves when all are gone. */
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
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The command line of a process; empty when there is none, or when it is a zombie. */
export function commandOf(pid: number): string {
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
