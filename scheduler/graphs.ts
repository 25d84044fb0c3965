/**
 * Lets graphs go on wherever they could, in any number of processes: after tasks that they follow, and after what a process of an
 * earlier release settled. Ends graphs whose time is up.
 */
import type { Pool } from '../db/stores/postgres.ts';
import { checkGraph, takeGraphChecks } from '../db/tasks/graphs/advance.ts';
import { Loop } from '../base/service.ts';
import type { Telemetry } from '../base/telemetry/telemetry.ts';
import type { Control, Producer } from '../jobs/queue/index.ts';
import { toJob } from '../jobs/framework/calls/to-job.ts';

/** Graphs per round. */
const PAGE = 100;
/** Pause while nothing is due, and between two checks of a graph. In milliseconds. */
const IDLE_MS = 500;
const AGAIN_MS = 60_000;

export interface GraphLoopOptions {
  db: Pool;
  producer: Producer;
  control: Control;
  telemetry: Telemetry;
}

export function createGraphLoop(options: GraphLoopOptions): Loop {
  const { telemetry } = options;
  return new Loop({
    name: 'graphs',
    tick: () => checkGraphs(options),
    onError: (error) => telemetry.emit('loop.failed', { loop: 'graphs', error }),
  });
}

/** @returns the pause before the next round, in milliseconds; 0 after a full page. */
export async function checkGraphs({ db, producer, control }: GraphLoopOptions): Promise<number> {
  const due = await takeGraphChecks(db, PAGE, AGAIN_MS);
  for (const id of due) {
    const { released, revoked } = await checkGraph(db, id);
    // As best effort: the reconciler dispatches what does not reach the queue, and revoked rows do not run.
    await Promise.allSettled([
      ...released.map((task) => producer.enqueue(toJob(task))),
      ...(revoked.length === 0 ? [] : [control.revoke(revoked)]),
    ]);
  }
  return due.length === PAGE ? 0 : IDLE_MS;
}
