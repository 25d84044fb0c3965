/**
 * Jobs whose tasks throw, log, report and return odd values, beside a neighbour that must not notice.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { NO_DATABASE, openWorker, type WorkerBench } from './worker.ts';

const AT_ONCE = 25;
const USES = ['throw', 'log', 'report', 'return'] as const;
/** Whether a returned value can be stored differs. */
const ENDS = ['job.failed', 'job.succeeded', 'job.succeeded'];

/** Uses the odd value of each seed in every way. Fails when a job does not end, a thread dies, or a neighbour runs again. */
export async function useOddValues(t: TestContext, all: readonly number[]): Promise<void> {
  const bench = await openWorker(t, NO_DATABASE, { workerConcurrency: 16 });
  const neighbour = await bench.add('ignore');
  await bench.said(neighbour, 'ignoring');
  const endsOf = readEnds(bench);
  for (let from = 0; from < all.length; from += AT_ONCE) {
    const seeds = all.slice(from, from + AT_ONCE);
    const ids = await Promise.all(
      seeds.flatMap((seed) => USES.map((use) => bench.add('odd', { seed, use }))),
    );
    const ends = await endsOf(ids);
    for (const [index, seed] of seeds.entries()) {
      assert.deepEqual(ends.slice(4 * index, 4 * index + 3), ENDS, `value ${seed}`);
    }
  }
  assert.deepEqual(
    bench.told.seen.filter(({ event }) => event === 'thread.died'),
    [],
  );
  assert.deepEqual(bench.eventsOf(neighbour), ['job.log']);
}

/** Reads each event once, however many jobs are waited for. */
function readEnds({ told }: WorkerBench): (ids: readonly string[]) => Promise<string[]> {
  const ends = new Map<string, string>();
  let read = 0;
  return (ids) =>
    told.until(() => {
      for (; read < told.seen.length; read++) {
        const one = told.seen[read]!;
        if (one.event === 'job.succeeded' || one.event === 'job.failed')
          ends.set(one.jobId, one.event);
      }
      return ids.every((id) => ends.has(id)) ? ids.map((id) => ends.get(id)!) : undefined;
    });
}
