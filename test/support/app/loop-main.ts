/**
 * Loaded into a process before its program (`--import`): answers SIGUSR2 with a line about its event loop since the last such line.
 */
import { createHistogram, performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

export interface LoopReport {
  /** How late the loop was with what was due, at each 10 ms of the time, in milliseconds. */
  p99Ms: number;
  longestMs: number;
  /** Share of the time that the loop did not wait for anything, from 0 to 1. */
  busy: number;
}

const PERIOD_MS = 10;

if (isMainThread) watchLoop();

/**
 * Unlike `monitorEventLoopDelay`, for which a loop that is held up for a second is one late timer of many, it counts everything that would
 * have been due meanwhile.
 */
function watchLoop(): void {
  const lateUs = createHistogram();
  const wait = (): void => {
    const dueMs = performance.now() + PERIOD_MS;
    const look = (): void => {
      for (let ms = performance.now() - dueMs; ms > 0; ms -= PERIOD_MS) {
        lateUs.record(Math.ceil(ms * 1000));
      }
      wait();
    };
    setTimeout(look, PERIOD_MS).unref();
  };
  wait();
  let since = performance.eventLoopUtilization();
  process.on('SIGUSR2', () => {
    const report: LoopReport = {
      p99Ms: lateUs.percentile(99) / 1000,
      longestMs: lateUs.max / 1000,
      busy: performance.eventLoopUtilization(since).utilization,
    };
    process.stdout.write(`event loop ${JSON.stringify(report)}\n`);
    lateUs.reset();
    since = performance.eventLoopUtilization();
  });
}
