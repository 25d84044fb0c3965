/**
 * A worker thread: owns its clients and runs batches of jobs. Loaded by piscina from the compiled output.
 */
import { BroadcastChannel, parentPort, threadId } from 'node:worker_threads';
import { workerData } from 'piscina';
import { Behaviour } from '../db/behaviour.ts';
import { Cache } from '../db/cache.ts';
import { createPool } from '../db/postgres.ts';
import { VectorIndex } from '../db/vector-index.ts';
import { embeddingModelOf } from '../db/vectors.ts';
import { lazyChat, lazyEmbedder } from '../jobs/llm/lazy.ts';
import { Broker } from '../jobs/queue/index.ts';
import { findTask } from '../jobs/registry.ts';
import { Submitter } from '../jobs/submit.ts';
import { attempt } from './attempt.ts';
import type { Resources } from './context.ts';
import { freezeLanguage } from './frozen.ts';
import { watchHeap } from './heap-watch.ts';
import { Line } from './line.ts';
import {
  packMoves,
  unpackBatch,
  type AttemptOutcome,
  type FromThread,
  type ThreadData,
  type ThreadJob,
  type ToThread,
} from './protocol.ts';
import type { Stop } from './stop.ts';

const { config, channel } = workerData as ThreadData;

const db = createPool(config.databaseUrl, { max: 4, name: `daodao-thread-${threadId}` });
// It connects when a task first asks for another one.
const broker = new Broker({
  url: config.redisUrl,
  prefix: config.queuePrefix,
  shards: config.queueShards,
});

const server = {
  baseUrl: config.openaiBaseUrl,
  apiKey: config.openaiApiKey,
  timeoutMs: config.llmTimeoutMs,
};
const model = embeddingModelOf(config);

const resources: Resources = {
  db,
  cache: new Cache(config.redisUrl, config.queuePrefix),
  llm: lazyChat(async () => {
    const { createLlm } = await import('../jobs/llm/client.ts');
    return createLlm({ ...server, model: config.llmModel });
  }),
  embedder: lazyEmbedder(async () => {
    const { createEmbedder } = await import('../jobs/llm/embedder.ts');
    return createEmbedder({ ...server, model: model.name, size: model.size });
  }),
  vectors: new VectorIndex(
    async () => (await import('../db/qdrant.ts')).createVectors(config),
    model,
  ),
  events: new Behaviour(async () => (await import('../db/clickhouse.ts')).createClickhouse(config)),
  submitter: new Submitter({
    db,
    broker,
    queues: config.workerQueues,
    deferred: (taskId, error) => tell({ type: 'deferred', taskId, error: String(error) }),
  }),
  settings: config,
  tell,
};

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

const line = new Line({
  concurrency: config.workerConcurrency,
  run: runWithin,
  tell: (started, ended) => tell({ type: 'moved', text: packMoves({ started, ended }) }),
});

watchHeap(config.workerMaxHeapMb, (mb) => tell({ type: 'heavy', mb }));
freezeLanguage();

// Not parentPort: piscina takes every message there for its own.
const orders = new BroadcastChannel(channel);
orders.onmessage = (event) => {
  const order = (event as { data: ToThread }).data;
  if (order.type === 'abort') line.abort(order.ids, order.reason);
  else line.concurrency = order.concurrency;
};

/** The piscina task. How each job ends is told as it happens, so that a slow one holds up none of its batch. */
export default function run(batch: string): Promise<void> {
  const { concurrency, jobs } = unpackBatch(batch);
  line.concurrency = concurrency;
  return line.add(jobs);
}

/** The soft limit of a task is kept here; the hard one by whoever can end this thread. */
async function runWithin(job: ThreadJob, stop: Stop): Promise<AttemptOutcome> {
  const limitMs = findTask(job.task)?.softTimeLimitMs;
  if (limitMs !== undefined) stop.start(limitMs);
  try {
    return await attempt(job, resources, stop);
  } finally {
    stop.end();
  }
}
