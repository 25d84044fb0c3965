/** Inline mode for tests of tasks: one attempt in this process, without Redis, threads or a hard time limit. */
import { randomUUID } from 'node:crypto';
import type { Static, TSchema } from 'typebox';
import { transaction, type Pool, type Queryable, type Row } from '../../db/stores/postgres.ts';
import { acceptTask } from '../../db/tasks/accept.ts';
import { findTask } from '../../db/tasks/rows.ts';
import { readCall } from '../../jobs/framework/calls/read-call.ts';
import { planOf } from '../../jobs/framework/canvas/compile.ts';
import type { Composite } from '../../jobs/framework/canvas/composition.ts';
import type { DurableTask, Task, TransientTask } from '../../jobs/framework/define.ts';
import type { CallOptions, DurableCallOptions } from '../../jobs/framework/options.ts';
import type { Signature } from '../../jobs/framework/signature.ts';
import { Tasks } from '../../jobs/framework/tasks.ts';
import type { AttemptEnd } from '../protocol.ts';
import { attempt } from '../thread/attempt.ts';
import type { ThreadScope } from '../thread/context.ts';
import { GroupedAttempts } from '../thread/grouped-attempts.ts';

interface RunOptions<O extends CallOptions> {
  /** For `ctx.db`. A durable task also gets its row there, as a call would make it. */
  db?: Pool;
  /** Options of the call. The `id` of an earlier run makes this another attempt at the same durable task. */
  call?: O;
  /** Attempts charged before this one. Default 0, or what the row says. */
  attempts?: number;
}

/** How the attempt ended: `retry` and `failed` have the code, message and cause of what was thrown. */
export type Attempted<R> = (
  | { kind: 'succeeded'; result: R }
  | Exclude<AttemptEnd, { kind: 'succeeded' }>
) & {
  id: string;
  /** What the attempt enqueued, in order. It was validated, and is neither stored nor run. */
  enqueued: readonly Signature[];
  /** The same, of compositions. */
  graphs: readonly Composite[];
};

/**
 * Runs one attempt as a worker would: it validates the payload and the result, decides about a retry and stores the outcome of
 * a durable task.
 * @throws {AppError} as `client.enqueue` does, for a wrong call.
 */
export async function runTask<P extends TSchema, R extends TSchema, X>(
  task: TransientTask<P, R, X>,
  payload: Static<P>,
  resources: NoInfer<X>,
  options?: RunOptions<CallOptions>,
): Promise<Attempted<Static<R>>>;
export async function runTask<P extends TSchema, R extends TSchema, X>(
  task: DurableTask<P, R, X>,
  payload: Static<P>,
  resources: NoInfer<X>,
  options: RunOptions<DurableCallOptions> & { db: Pool },
): Promise<Attempted<Static<R>>>;
export async function runTask<X>(
  task: Task<X>,
  payload: unknown,
  resources: X,
  { db = NO_POOL, call = {}, attempts = 0 }: RunOptions<DurableCallOptions> = {},
): Promise<Attempted<unknown>> {
  const request = readAny(task.si(payload, call));
  const { id } = task.durable ? await acceptTask(db, request) : request;
  const [enqueued, graphs]: [Signature[], Composite[]] = [[], []];
  const scope: ThreadScope<X> = {
    tasks: new Tasks([task]),
    resources,
    db,
    attempts: new GroupedAttempts(db),
    reader: readOnly(db),
    enqueuer: recorder(enqueued, graphs),
    tell: () => undefined,
    unchargedForMs: 0,
  };
  const { name, queue, headers = {} } = request;
  const job = { id, task: name, queue, headers, payload: request.payload, attempts };
  const end = await attempt({ ...job, createdAtMs: Date.now() }, scope);
  if (end.kind !== 'succeeded') return { ...end, id, enqueued, graphs };
  const result: unknown = task.durable ? (await findTask(db, id))?.result : JSON.parse(end.result);
  return { kind: 'succeeded', result, id, enqueued, graphs };
}

/** Any task and any queue may be named: the registry and the workers of the application are not here. */
function readAny(signature: Signature) {
  const { task, options } = signature;
  return readCall(signature, { tasks: new Tasks([task]), queues: [options.queue ?? task.queue] });
}

/** Takes calls down instead of accepting them; those in a transaction once it is committed. */
function recorder(enqueued: Signature[], graphs: Composite[]): ThreadScope['enqueuer'] {
  return {
    async enqueue(signatures) {
      const requests = signatures.map((signature) => readAny(signature));
      enqueued.push(...signatures);
      return requests.map(({ id }) => ({ id, status: 'queued', outcome: 'created' }));
    },
    async enqueueWithin(_, signature) {
      const { id } = readAny(signature);
      return { id, outcome: 'created', dispatch: () => void enqueued.push(signature) };
    },
    async enqueueGraph(composite, { id = randomUUID() }) {
      planOf(composite);
      graphs.push(composite);
      return { id, outcome: 'created' };
    },
    async enqueueGraphWithin(_, composite, { id = randomUUID() }) {
      planOf(composite);
      return { id, outcome: 'created', dispatch: () => void graphs.push(composite) };
    },
  };
}

/** Refuses to write, as the sessions of `ctx.db` do. */
export function readOnly(db: Pool): Queryable {
  return {
    query: <R extends Row>(text: string, values?: unknown[]) =>
      transaction(db, async (tx) => {
        await tx.query('SET TRANSACTION READ ONLY');
        return tx.query<R>(text, values);
      }),
  };
}

const noDb = (): never => {
  throw new TypeError('This task uses Postgres: give runTask a pool as `db`.');
};
/** In place of a pool that was not given. */
const NO_POOL = { connect: noDb, query: noDb } as unknown as Pool;
