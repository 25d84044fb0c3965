/** Drain mode for tests: runs what is queued in this process, without threads or hard time limits. */
import type { Pool } from '../../db/stores/postgres.ts';
import { makeDue } from '../../db/tasks/attempts.ts';
import { Enqueuer } from '../../jobs/framework/calls/enqueue.ts';
import type { Task } from '../../jobs/framework/define.ts';
import type { Tasks } from '../../jobs/framework/tasks.ts';
import {
  Control,
  drain as drainQueue,
  Inspector,
  type Broker,
  type Delivery,
} from '../../jobs/queue/index.ts';
import { judgeEnd } from '../main/settle.ts';
import type { AttemptEnd } from '../protocol.ts';
import { attempt } from '../thread/attempt.ts';
import type { ThreadScope } from '../thread/context.ts';
import { GroupedAttempts } from '../thread/grouped-attempts.ts';
import { readOnly } from './run-task.ts';

/** Tasks that enqueue themselves would never end. */
const MAX_ATTEMPTS = 1000;

export interface DrainOptions<X> {
  tasks: Tasks<Task<X>>;
  resources: X;
  db: Pool;
  broker: Broker;
}

/** One attempt that `drain` made. */
export interface Drained {
  id: string;
  task: string;
  end: AttemptEnd;
}

/**
 * Runs every job in the queue, one at a time, with those that they enqueue, until none is left. Delays and backoffs are skipped:
 * a delayed job or retry runs once nothing else is due. Await `client.idle()` first, as a call may still be on its way to Redis.
 * @returns the attempts in order.
 * @throws {Error} after 1,000 attempts; {QueueError} `REDIS_UNAVAILABLE`
 */
export async function drain<X>({
  tasks,
  resources,
  db,
  broker,
}: DrainOptions<X>): Promise<Drained[]> {
  const [inspector, control] = [new Inspector(broker), new Control(broker)];
  const queues = (await inspector.overview()).queues.map(({ name }) => name);
  const enqueuer = new Enqueuer({ db, broker, tasks, queues, deferred: () => undefined });
  const scope: ThreadScope<X> = {
    tasks,
    resources,
    db,
    attempts: new GroupedAttempts(db, (released) => enqueuer.dispatch(released)),
    reader: readOnly(db),
    enqueuer,
    tell: () => undefined,
    unchargedForMs: 0,
  };
  const drained: Drained[] = [];

  async function run(delivery: Delivery) {
    const { job, counts } = delivery;
    if (drained.length === MAX_ATTEMPTS) {
      throw new Error(`The queue is not empty after ${MAX_ATTEMPTS} attempts.`);
    }
    const end = await attempt({ ...job, ...counts }, scope);
    drained.push({ id: job.id, task: job.task, end });
    // What it enqueued must be there before the queue is found empty.
    await enqueuer.idle();
    return judgeEnd(delivery, end).settlement;
  }

  for (;;) {
    await drainQueue(broker, run);
    const [next] = await inspector.page({ list: 'delayed' }, { limit: 1 });
    if (next === undefined) return drained;
    await makeDue(db, next.id);
    await control.reschedule(next.id, 0);
  }
}
