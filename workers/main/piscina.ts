/** The piscina of one thread: its limits, and why each option is as it is. */
import { Piscina } from 'piscina';
import type { ThreadData } from '../protocol.ts';

/**
 * Heap limits in MB. Exceeding them ends the thread, not the process. Jobs mostly wait, so the young generation is
 * small, which saves 17 MB per idle thread.
 */
const HEAP_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4 };

/**
 * Piscina tries `require` before `import`, and Node.js (20 at least) aborts the process when a thread ends while
 * requiring an ES module. This flag makes `require` fail at once; a thread can end safely during `import`.
 */
const IMPORT_ONLY = '--no-experimental-require-module';

/** How long an idle thread that is not warm is kept, in milliseconds: it costs 25 MB, a start half a second. */
const IDLE_MS = 60_000;

/** Piscina passes on all batches; the thread limits its own concurrency. */
const ALL_BATCHES = 1_000_000;

/** @param warm whether its thread starts at once and is kept. */
export function createPiscina(data: ThreadData, module: URL, warm: boolean): Piscina<string, void> {
  return new Piscina({
    filename: module.href,
    workerData: data,
    minThreads: warm ? 1 : 0,
    maxThreads: 1,
    concurrentTasksPerWorker: ALL_BATCHES,
    // By default an abortable batch occupies its thread alone.
    loadBalancer: (_batch, [thread]) => thread ?? null,
    // A thread blocked in Atomics.wait would not serve its sockets.
    atomics: 'disabled',
    // A warm thread keeps its connections.
    idleTimeout: warm ? Infinity : IDLE_MS,
    execArgv: [IMPORT_ONLY],
    recordTiming: false,
    resourceLimits: HEAP_LIMITS,
  });
}
