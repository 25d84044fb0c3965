/**
 * A worker process of the queue, to be killed: runs every job for `workMs`, writes what it did to `log`, and tells its
 * parent when it is ready, which jobs it started and which it lost.
 */
import { appendFileSync } from 'node:fs';
import { Broker, Consumer, type Delivery } from '../../../jobs/queue/index.ts';

export interface WorkerOptions {
  url: string;
  prefix: string;
  shards?: number;
  limit: number;
  leaseMs: number;
  /** How long a job runs, in milliseconds. Default 0: it ends in the turn it is delivered. */
  workMs?: number;
  /** Takes one line per start, `id attempts:deaths:mark`. A file, so that it outlives the worker. */
  log: string;
  /** Tell the parent of every start; too much talk for large runs. Default false. */
  talk?: boolean;
}

export type WorkerMessage = { ready: string } | { started: string[] } | { lost: string[] };

const options = JSON.parse(process.argv[2]!) as WorkerOptions;
const { url, prefix, shards = 1, limit, leaseMs, workMs = 0, log, talk = false } = options;
const tell = (message: WorkerMessage): void => void process.send?.(message, () => undefined);

function run(deliveries: readonly Delivery[]): void {
  const lines = deliveries.map(
    ({ job, counts }) => `${job.id} ${counts.attempts}:${counts.deaths}:${counts.mark}\n`,
  );
  appendFileSync(log, lines.join(''));
  if (talk) tell({ started: deliveries.map(({ job }) => job.id) });
  const end = (): void => {
    for (const { job } of deliveries) consumer.settle(job.id, { kind: 'succeeded', result: '1' });
  };
  if (workMs === 0) end();
  else setTimeout(end, workMs);
}

// Nothing is dropped while a test still counts.
const broker = new Broker({ url, prefix, shards, keep: { count: 1_000_000 } });
const consumer = new Consumer(broker, {
  queues: ['main'],
  limit,
  leaseMs,
  deliver: run,
  lost: (ids) => tell({ lost: ids }),
});
process.once('disconnect', () => process.exit(0));
await broker.open();
await consumer.start();
tell({ ready: consumer.id });
