/** Builds `ctx`, once per attempt, from what the thread owns. */
import { isReadOnlyError, type Pool, type Queryable, type Row } from '../../db/stores/postgres.ts';
import { setInputHash } from '../../db/tasks/attempts.ts';
import type { Fence } from '../../db/tasks/fence.ts';
import { findStep, runStep, storeStep } from '../../db/tasks/steps.ts';
import { readWork } from '../../jobs/framework/canvas/read.ts';
import { ChildIds } from '../../jobs/framework/calls/child-id.ts';
import type { DurableContext, JobFacts, TaskContext } from '../../jobs/framework/context.ts';
import type { Task } from '../../jobs/framework/define.ts';
import { Reject, Retry, Snooze } from '../../jobs/framework/errors.ts';
import type { Tasks } from '../../jobs/framework/tasks.ts';
import type { Enqueuer } from '../../jobs/framework/calls/enqueue.ts';
import type { FromThread } from '../protocol.ts';
import type { GroupedAttempts } from './grouped-attempts.ts';
import type { Reports } from './reports.ts';
import type { Stop } from './stop.ts';

/** Shared by all attempts on one thread. */
export interface ThreadScope<X = object> {
  tasks: Tasks<Task<X>>;
  /** What the application adds to `ctx`. */
  resources: X;
  db: Pool;
  /** Starts and settles durable tasks. */
  attempts: GroupedAttempts;
  /** Its sessions are read-only. */
  reader: Queryable;
  enqueuer: Pick<Enqueuer, 'enqueue' | 'enqueueWithin' | 'enqueueGraph' | 'enqueueGraphWithin'>;
  /** How long an attempt may be released without being charged, in milliseconds. */
  unchargedForMs: number;
  tell(message: FromThread): void;
}

/** How one attempt is told to stop, and what it reports. */
export interface Channels {
  stop: Stop;
  reports: Reports;
}

export function buildContext<X>(
  { resources, db, reader, enqueuer }: ThreadScope<X>,
  job: JobFacts,
  { stop, reports }: Channels,
): TaskContext & X {
  const childIds = new ChildIds(job.id);
  const context: TaskContext = {
    job,
    get signal() {
      return stop.signal;
    },
    db: readOnly(reader),
    async nextval(sequence) {
      const { rows } = await db.query<{ value: string }>('SELECT nextval($1) AS value', [sequence]);
      return Number(rows[0]!.value);
    },
    log: (message, fields) => reports.log(message, fields),
    progress: (value, note) => reports.progress(value, note),
    extendLimit(ms) {
      if (!Number.isSafeInteger(ms) || ms < 1) {
        throw new RangeError('ctx.extendLimit takes a whole number of milliseconds, 1 or more.');
      }
      stop.extend(ms);
      reports.extend(ms);
    },
    retry({ countdownMs, reason = 'The task asked for another attempt.' } = {}) {
      throw new Retry('TASK_RETRIED', reason, { countdownMs });
    },
    snooze(ms) {
      throw new Snooze(ms);
    },
    async enqueue(asked) {
      const work = readWork(asked);
      if ('shape' in work) {
        return (await enqueuer.enqueueGraph(work, { id: childIds.next(work) })).id;
      }
      const { id = childIds.next(work) } = work.options;
      const [accepted] = await enqueuer.enqueue([{ ...work, options: { ...work.options, id } }]);
      return accepted!.id;
    },
  };
  return Object.assign(context, resources);
}

/** Fails a task that writes at once: a write outside `ctx.transaction` could happen twice. */
function readOnly(reader: Queryable): Queryable {
  return {
    query: <R extends Row>(text: string, values?: unknown[]) =>
      reader.query<R>(text, values).catch((error: unknown) => {
        if (!isReadOnlyError(error)) throw error;
        const message = 'ctx.db is read-only. Write in ctx.transaction.';
        throw new Reject('TASK_FAILED', message, { cause: error });
      }),
  };
}

/** Adds the effects of durable tasks, fenced by the epoch of the attempt. */
export function buildDurableContext<C extends TaskContext>(
  context: C,
  { db, enqueuer }: Pick<ThreadScope, 'db' | 'enqueuer'>,
  fence: Fence,
): C & DurableContext {
  const effects: Pick<DurableContext, 'step' | 'stored' | 'transaction'> = {
    async step(name, work) {
      const stored = await findStep<Awaited<ReturnType<typeof work>>>(db, fence.id, name);
      if (stored !== undefined) return stored.output;
      return storeStep(db, fence, name, await work());
    },
    stored: (name) => findStep(db, fence.id, name),
    async transaction(name, work) {
      const dispatches: (() => void)[] = [];
      const output = await runStep(db, fence, name, (tx) =>
        work({
          query: (text: string, values?: unknown[]) => tx.query(text, values),
          setInputHash: (hash) => setInputHash(tx, fence.id, hash),
          async enqueue(asked) {
            const call = readWork(asked);
            const { id, dispatch } =
              'shape' in call
                ? await enqueuer.enqueueGraphWithin(tx, call, {})
                : await enqueuer.enqueueWithin(tx, call);
            dispatches.push(dispatch);
            return id;
          },
        }),
      );
      for (const dispatch of dispatches) dispatch();
      return output;
    },
  };
  return Object.assign(context, effects);
}
