/**
 * What a task gets: built once for each attempt from the clients its thread owns.
 */
import type { Behaviour } from '../db/behaviour.ts';
import { isCacheAway, type Cache } from '../db/cache.ts';
import type { Pool } from '../db/postgres.ts';
import { findStep, runStep, type Claim } from '../db/task-runs.ts';
import type { VectorIndex } from '../db/vector-index.ts';
import type { ChatModel, EmbeddingModel } from '../jobs/llm/provider.ts';
import { ChildIds } from '../jobs/child-id.ts';
import type { Submitter } from '../jobs/submit.ts';
import {
  Retry,
  type DurableContext,
  type JobFacts,
  type TaskContext,
  type TaskSettings,
  type VersionedCache,
} from '../jobs/task.ts';
import type { FromThread } from './protocol.ts';
import type { Stop } from './stop.ts';

/** The clients of one thread. */
export interface Resources {
  db: Pool;
  cache: Cache;
  llm: ChatModel;
  embedder: EmbeddingModel;
  vectors: VectorIndex;
  events: Behaviour;
  submitter: Submitter;
  settings: TaskSettings;
  tell(message: FromThread): void;
}

export function buildContext(
  resources: Resources,
  job: JobFacts,
  task: string,
  stop: Stop,
): TaskContext {
  const { db, cache, llm, embedder, vectors, events, settings, submitter, tell } = resources;
  const childIds = new ChildIds(job.id);
  const log: TaskContext['log'] = (message, fields = {}) =>
    tell({ type: 'log', id: job.id, task, message, fields });
  return {
    job,
    get signal() {
      return stop.signal;
    },
    settings,
    db,
    cache: forgiving(cache, log),
    llm,
    embedder,
    vectors,
    events,
    log,
    progress: (value, note) => tell({ type: 'progress', id: job.id, value, note: note ?? null }),
    extendLimit(ms) {
      if (!Number.isSafeInteger(ms) || ms < 1) {
        throw new RangeError('ctx.extendLimit takes a whole number of milliseconds, 1 or more.');
      }
      stop.extend(ms);
      tell({ type: 'extended', id: job.id, ms });
    },
    retry({ countdownMs, reason = 'The task asked for another attempt.' } = {}) {
      throw new Retry('TASK_RETRIED', reason, { countdownMs });
    },
    async enqueue(signature) {
      const { id = childIds.next(signature) } = signature.options;
      const options = { ...signature.options, id };
      const [accepted] = await submitter.submit([{ ...signature, options }]);
      return accepted!.id;
    },
  };
}

/** A cache that is away is waited for; what one refuses for good is no reason to fail the work that is done by then. */
function forgiving(cache: VersionedCache, log: TaskContext['log']): VersionedCache {
  return {
    get: (key) => cache.get(key),
    async set(key, version, value, ttlSeconds) {
      try {
        await cache.set(key, version, value, ttlSeconds);
      } catch (error) {
        if (isCacheAway(error)) throw error;
        log('the cache refused a value', { key, error });
      }
    },
  };
}

/** Adds what only durable tasks have: effects that know their epoch. */
export function buildDurableContext(
  context: TaskContext,
  { db, submitter }: Resources,
  claim: Claim,
): DurableContext {
  const effects: Pick<DurableContext, 'step' | 'transaction'> = {
    async step(name, work) {
      const stored = await findStep<Awaited<ReturnType<typeof work>>>(db, claim.id, name);
      if (stored !== undefined) return stored.output;
      const output = await work();
      return runStep(db, claim, name, async () => output);
    },
    async transaction(name, work) {
      const dispatches: (() => void)[] = [];
      const output = await runStep(db, claim, name, (tx) =>
        work({
          query: (text: string, values?: unknown[]) => tx.query(text, values),
          async enqueue(signature) {
            const { id, dispatch } = await submitter.submitWithin(tx, signature);
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
