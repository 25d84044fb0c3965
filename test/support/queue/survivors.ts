/**
 * Processes that must not outlive the test, even if that is ended from outside.
 */
const pids = new Set<number>();
let isArmed = false;

export function endWithTest(pid: number): void {
  pids.add(pid);
  if (isArmed) return;
  isArmed = true;
  process.once('exit', () => {
    for (const survivor of pids) kill(survivor);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
}

/** It has ended. */
export function forget(pid: number): void {
  pids.delete(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
