/**
 * Loaded into a process before its program (`--import`): answers SIGUSR2 with a line about its event loop since the last such line.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

export interface LoopReport {
  /** How late a timer that is due every 10 ms was, in milliseconds. */
  p99Ms: number;
  longestMs: number;
  /** Share of the time that the loop did not wait for anything, from 0 to 1. */
  busy: number;
}

/** Of the timer. The histogram holds the times from one call to the next, so that each includes it. */
const PERIOD_MS = 10;

if (isMainThread) watchLoop();

function watchLoop(): void {
  const periods = monitorEventLoopDelay({ resolution: PERIOD_MS });
  periods.enable();
  let since = performance.eventLoopUtilization();
  const lateMs = (periodNs: number): number => Math.max(0, periodNs / 1e6 - PERIOD_MS);
  process.on('SIGUSR2', () => {
    const report: LoopReport = {
      p99Ms: lateMs(periods.percentile(99)),
      longestMs: lateMs(periods.max),
      busy: performance.eventLoopUtilization(since).utilization,
    };
    process.stdout.write(`event loop ${JSON.stringify(report)}\n`);
    periods.reset();
    since = performance.eventLoopUtilization();
  });
}
