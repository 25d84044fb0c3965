/**
 * A `ctx` whose steps and transactions keep their outputs, so that a repeated attempt can be tested.
 */
import { Behaviour } from '../../../db/daodao/behaviour.ts';
import { connectClickhouse } from '../../../db/stores/clickhouse.ts';
import type { Queryable } from '../../../db/stores/postgres.ts';
import { VectorIndex } from '../../../db/daodao/vector-index.ts';
import { connectVectors } from '../../../db/stores/qdrant.ts';
import type { ChatModel } from '../../../jobs/llm/model.ts';
import { Retry } from '../../../jobs/framework/errors.ts';
import type { Context } from '../../../jobs/define.ts';
import type { TaskTransaction } from '../../../jobs/framework/context.ts';

export interface TestContext extends Context {
  /** Stored outputs by name; they outlive an attempt. */
  readonly outputs: Map<string, unknown>;
  readonly cached: Map<string, { version: number; value: unknown; ttlSeconds: number }>;
  readonly progressed: number[];
}

export interface TestContextOptions {
  llm: ChatModel;
  /** Default: a database that must not be touched. */
  db?: Queryable;
  jobId?: string;
  signal?: AbortSignal;
}

const UNTOUCHED: Queryable = {
  query: () => Promise.reject(new Error('this test has no database')),
};

/** A transaction that asks for no further task. */
export function withoutQueue(tx: Queryable): TaskTransaction {
  return {
    query: (text: string, values?: unknown[]) => tx.query(text, values),
    setInputHash: async () => undefined,
    enqueue: () => Promise.reject(new Error('this test has no queue')),
  };
}

/** A vector store that is away. */
export function noVectors(): VectorIndex {
  const nowhere = { qdrantUrl: 'http://127.0.0.1:9', qdrantApiKey: undefined };
  return new VectorIndex(() => connectVectors(nowhere), { name: 'none', size: 8 });
}

/** A ClickHouse that is away. */
export function noEvents(): Behaviour {
  return new Behaviour(() => connectClickhouse({ clickhouseUrl: 'http://127.0.0.1:9' }));
}

export function createContext({
  llm,
  db = UNTOUCHED,
  jobId = '6f2b5a0e-3c1d-4e5f-8a9b-0c1d2e3f4a5b',
  signal = new AbortController().signal,
}: TestContextOptions): TestContext {
  const outputs = new Map<string, unknown>();
  const cached: TestContext['cached'] = new Map();
  const progressed: number[] = [];

  /** Through JSON, as a stored output would go. */
  async function once<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (!outputs.has(name)) outputs.set(name, JSON.parse(JSON.stringify(await work())));
    return outputs.get(name) as T;
  }

  return {
    job: {
      id: jobId,
      attempt: 1,
      delivery: 1,
      maxRetries: 3,
      queue: 'ai_tasks',
      headers: {},
      slot: undefined,
      userId: undefined,
    },
    signal,
    settings: { feedbackMinProgress: 70, feedbackMinNoteLength: 30, feedbackPerDay: 20 },
    db,
    llm,
    embedder: { embed: () => Promise.reject(new Error('this test has no embedding model')) },
    vectors: noVectors(),
    events: noEvents(),
    outputs,
    cached,
    progressed,
    cache: {
      async set(key, version, value, ttlSeconds) {
        cached.set(key, { version, value, ttlSeconds });
        return undefined;
      },
      async get<T>(key: string) {
        return cached.get(key) as { version: number; value: T } | undefined;
      },
    },
    async nextval(sequence) {
      const { rows } = await db.query<{ value: string }>('SELECT nextval($1) AS value', [sequence]);
      return Number(rows[0]!.value);
    },
    log: () => undefined,
    progress: (value) => progressed.push(value),
    extendLimit: () => undefined,
    retry({ countdownMs, reason = 'again' } = {}) {
      throw new Retry('TASK_RETRIED', reason, { countdownMs });
    },
    snooze() {
      throw new Error('these tasks never snooze');
    },
    step: once,
    stored: async <T>(name: string) =>
      outputs.has(name) ? { output: outputs.get(name) as T } : undefined,
    enqueue: () => Promise.reject(new Error('this test has no queue')),
    transaction: (name, work) => once(name, () => work(withoutQueue(db))),
  };
}
