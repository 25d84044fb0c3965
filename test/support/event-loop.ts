/**
 * How long the event loop of this process is blocked.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** @returns what the work came to, and the longest stall of the loop meanwhile, in milliseconds. */
export async function stallOf<T>(work: () => Promise<T>): Promise<{ value: T; stallMs: number }> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  // The monitor needs a first tick: what comes before is not measured.
  await sleep(2);
  delays.reset();
  const value = await work();
  await sleep(2);
  delays.disable();
  return { value, stallMs: delays.max / 1e6 };
}

/** @param share from 0 to 1. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
