/**
 * A Redis Cluster of which a part, or all, is away: no call hangs, and what is there is served.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import {
  Broker,
  Consumer,
  Control,
  Inspector,
  Producer,
  QueueError,
  type ConsumerOptions,
  type JobRequest,
} from '../../../jobs/queue/index.ts';
import type { ScriptName } from '../../../jobs/queue/broker/scripts.ts';
import { atEnd } from '../../support/at-end.ts';
import { startCluster, type TestCluster } from '../../support/stores/cluster.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { stretched } from '../../support/patience.ts';
import { startWorker, workerLog } from '../../support/threads/worker-processes.ts';
import { report } from '../experiment.ts';

const SHARDS = 4;
/** How long each of them is patient with a Redis that is away, in milliseconds: less than usual, as what counts is that each ends. */
const PATIENCE_MS = 500;
const LEASE_MS = stretched(1000);
const LONG_MS = 3_600_000;

interface Call {
  name: ScriptName;
  /** How it ended; undefined while it is pending. */
  code?: string;
}

/** Writes down every call of a script and how it ended. */
class WatchedBroker extends Broker {
  readonly calls: Call[] = [];

  override async run<T>(
    name: ScriptName,
    shard: number,
    args: readonly (string | number)[],
    patience: number | (() => number) = PATIENCE_MS,
  ): Promise<T> {
    const patienceMs = typeof patience === 'function' ? patience() : patience;
    const call: Call = { name };
    this.calls.push(call);
    const answer = super.run<T>(name, shard, args, Math.min(patienceMs, PATIENCE_MS));
    void answer.then(() => 'done', codeOf).then((code) => (call.code = code));
    return answer;
  }
}

const codeOf = (error: unknown): string =>
  error instanceof QueueError ? error.code : String(error);

/** How a call ended. */
const outcome = (call: Promise<unknown>): Promise<string> => call.then(() => 'done', codeOf);

async function ownCluster(t: TestContext): Promise<TestCluster> {
  const cluster = await startCluster();
  atEnd(t, () => cluster.stop());
  return cluster;
}

async function openQueue(t: TestContext, { url }: TestCluster) {
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  const broker = new WatchedBroker({ url, prefix, shards: SHARDS });
  atEnd(t, () => broker.close());
  await broker.open();
  return { prefix, broker, producer: new Producer(broker) };
}

const jobOn = (shard: number): JobRequest => ({
  id: `0${shard}${randomUUID().slice(2)}`,
  task: 'work',
  queue: 'main',
  payload: '1',
});
const onEveryShard = <T>(work: (shard: number) => T): T[] =>
  Array.from({ length: SHARDS }, (_, shard) => work(shard));

/** A consumer that keeps what it is given. */
async function startHolder(
  t: TestContext,
  broker: Broker,
  options: Partial<ConsumerOptions> = {},
): Promise<{
  consumer: Consumer;
  held: string[];
  errors: unknown[];
  stop(): Promise<void>;
}> {
  const [held, errors]: [string[], unknown[]] = [[], []];
  const consumer = new Consumer(broker, {
    queues: ['main'],
    limit: 2 * SHARDS,
    leaseMs: LEASE_MS,
    deliver: (deliveries) => held.push(...deliveries.map(({ job }) => job.id)),
    failed: (error) => errors.push(error),
    ...options,
  });
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= consumer.stop());
  atEnd(t, stop);
  await consumer.start();
  return { consumer, held, errors, stop };
}

test('a Cluster without masters: every call is refused, and a worker can stop', async (t) => {
  const cluster = await ownCluster(t);
  const { broker, producer } = await openQueue(t, cluster);
  const { consumer, held, errors, stop } = await startHolder(t, broker);
  await Promise.all(onEveryShard((shard) => producer.enqueue(jobOn(shard))));
  await eventually('it holds one of each shard', () => held.length === SHARDS);
  cluster.killMasters();
  broker.calls.length = 0;

  for (const id of held) consumer.settle(id, { kind: 'succeeded', result: '1' });
  const control = new Control(broker);
  const inspector = new Inspector(broker);
  const jobs = onEveryShard(jobOn);
  const outcomes = Promise.all(
    jobs.flatMap((job) => [
      outcome(producer.enqueue(job)),
      outcome(inspector.status(job.id)),
      outcome(control.revoke([job.id])),
    ]),
  );
  const isRefused = (wanted: ScriptName) =>
    broker.calls.some(({ name, code }) => name === wanted && code === 'REDIS_UNAVAILABLE');
  await eventually('a heartbeat is refused', () => isRefused('renew'));
  await eventually('a round is refused', () => isRefused('step'));
  const stopped = stop();
  assert.deepEqual([...new Set(await outcomes)], ['REDIS_UNAVAILABLE']);
  await stopped;
  const ended = [...broker.calls];
  await eventually('no call is left pending', () => ended.every(({ code }) => code !== undefined));
  const names: ScriptName[] = ['enqueue', 'leave', 'renew', 'revoke', 'status', 'step'];
  assert.deepEqual([...new Set(ended.map(({ name }) => name))].toSorted(), names);
  assert.deepEqual([...new Set(ended.map(({ code }) => code))], ['REDIS_UNAVAILABLE']);
  assert.deepEqual([...new Set(errors.map(codeOf))], ['REDIS_UNAVAILABLE']);
  report(t, {
    figure: 'a Redis Cluster loses its masters under a worker',
    result: `${ended.length} calls refused, none left pending; the worker stopped`,
    violations: [],
  });
});

/** From now on a master that is gone is missed, and the others serve what is theirs. */
async function withoutFailover({ masters, replica }: TestCluster): Promise<void> {
  await replica.config('SET', 'cluster-replica-no-failover', 'yes');
  for (const node of [...masters, replica])
    await node.config('SET', 'cluster-require-full-coverage', 'no');
}

test('a master is away: jobs of a dead worker are recovered on the shards of the others, and on its own once it is replaced', async (t) => {
  const cluster = await ownCluster(t);
  await withoutFailover(cluster);
  const { prefix, broker, producer } = await openQueue(t, cluster);
  const worker = await startWorker(t, {
    url: cluster.url,
    prefix,
    shards: SHARDS,
    limit: SHARDS,
    leaseMs: LEASE_MS,
    workMs: LONG_MS,
    log: workerLog(t).file,
    talk: true,
  });
  const jobs = onEveryShard(jobOn);
  await Promise.all(jobs.map((job) => producer.enqueue(job)));
  await worker.until(() => worker.started.length === SHARDS);
  const keys = await cluster.masters[0]!.keys(`${prefix}:*`);
  const isAway = ({ id }: JobRequest) => keys.includes(broker.key(broker.shardOf(id), 'jobs'));
  const present = jobs.filter((job) => !isAway(job)).map(({ id }) => id);
  assert.ok(present.length > 0 && present.length < SHARDS, `${present.length} are there`);
  const reaped: [string, number][] = [];
  const survivor = await startHolder(t, broker, {
    reaped: (id, count) => reaped.push([id, count]),
  });
  await cluster.replicated();

  cluster.killFirst();
  await eventually('the survivor misses it', () => survivor.errors.length > 0);
  worker.kill('SIGKILL');
  await worker.exited;
  const diedMs = performance.now();
  await eventually('recovered', () => survivor.held.length >= present.length);
  const recoveredMs = Math.round(performance.now() - diedMs);
  assert.deepEqual(survivor.held.toSorted(), present.toSorted());
  assert.deepEqual(
    reaped,
    present.map(() => [worker.id, 1]),
  );
  await cluster.replica.config('SET', 'cluster-replica-no-failover', 'no');
  await eventually('all are recovered', () => survivor.held.length >= SHARDS);
  const allMs = Math.round(performance.now() - diedMs);
  assert.deepEqual(survivor.held.toSorted(), jobs.map(({ id }) => id).toSorted());
  report(t, {
    figure: 'a worker dies while a master of the Redis Cluster is away',
    result: `its jobs ran again after ${recoveredMs} ms, those of the master ${allMs} ms after the death`,
    violations: [],
  });
});
