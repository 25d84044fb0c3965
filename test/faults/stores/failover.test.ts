/**
 * A Redis Cluster loses what a master had not passed on to its replica. What was accepted is in Postgres: it is brought
 * back, and ends once.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { runStep } from '../../../db/tasks/steps.ts';
import { startTask } from '../../../db/tasks/attempts.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { Broker, Inspector, Producer, Runner, type JobState } from '../../../jobs/queue/index.ts';
import { createReconciler } from '../../../scheduler/reconciler.ts';
import { Telemetry, type EventName } from '../../../base/telemetry/telemetry.ts';
import { atEnd } from '../../support/at-end.ts';
import { startCluster, type TestCluster } from '../../support/stores/cluster.ts';
import { eventually } from '../../support/queue/consumers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { Signals } from '../../support/signals.ts';
import { request, succeedTask } from '../../support/tasks.ts';

const SHARDS = 4;
/** Unfinished tasks are looked at again after two of these, in milliseconds. */
const LEASE_MS = 500;
const TASKS = 40;

interface Stores {
  cluster: TestCluster;
  database: TestDatabase;
  broker: Broker;
  inspector: Inspector;
}

async function openStores(t: TestContext): Promise<Stores> {
  const [cluster, database] = await Promise.all([startCluster(), createTestDatabase()]);
  atEnd(t, () => Promise.all([cluster.stop(), database.drop()]));
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  const broker = new Broker({ url: cluster.url, prefix, shards: SHARDS });
  atEnd(t, () => broker.close());
  await broker.open();
  return { cluster, database, broker, inspector: new Inspector(broker) };
}

/** Accepts tasks and leaves it to the reconciler to dispatch them. */
async function accept({ pool }: TestDatabase): Promise<string[]> {
  const rows = Array.from({ length: TASKS }, () => request());
  for (const row of rows) await acceptTask(pool, row);
  await pool.query('UPDATE ai.tasks SET check_at = now() WHERE finished_at IS NULL');
  return rows.map(({ id }) => id);
}

/** A worker that runs durable tasks as one of the application does, and what it was given and could end. */
async function startWorker(t: TestContext, { broker, database: { pool } }: Stores) {
  const [given, ended]: [string[], string[]] = [[], []];
  const runner = new Runner(broker, {
    queues: ['default'],
    async run({ id }) {
      given.push(id);
      const started = await startTask(pool, id, 0);
      if (started === undefined) return 'null';
      const claim = { id, epoch: started.epoch };
      await runStep(pool, claim, 'effect', async () => id);
      await succeedTask(pool, claim, JSON.stringify(id));
      ended.push(id);
      return 'null';
    },
  });
  atEnd(t, () => runner.stop());
  await runner.start();
  return { given, ended, stop: () => runner.stop() };
}

async function startReconciler(t: TestContext, { broker, database, inspector }: Stores) {
  const telemetry = new Telemetry();
  const told = new Signals<{ event: EventName; jobs: number }>();
  telemetry.on((event, fields) => told.note({ event, jobs: 'jobs' in fields ? fields.jobs : 0 }));
  const producer = new Producer(broker);
  const options = { db: database.pool, producer, inspector, telemetry, leaseMs: LEASE_MS };
  const reconciler = createReconciler(options);
  atEnd(t, () => reconciler.stop());
  await reconciler.start();
  /** Jobs it has dispatched so far. */
  const dispatched = () => told.seen.reduce((sum, { jobs }) => sum + jobs, 0);
  return { told, dispatched };
}

/** Resolves when the queue says so of all these jobs. While a master is away it says nothing. */
async function untilAll(
  { inspector }: Stores,
  ids: readonly string[],
  wanted: JobState,
): Promise<void> {
  const look = async () => (await inspector.statuses(ids)).every(({ state }) => state === wanted);
  await eventually(`all are ${wanted}`, () => look().catch(() => false));
}

test('tasks that a failover lost are brought back by the reconciler, and every task ends once', async (t) => {
  const stores = await openStores(t);
  const { broker, cluster, database } = stores;
  const { dispatched, told } = await startReconciler(t, stores);

  // In line on both; they run, and their ends stay with the master.
  const known = await accept(database);
  await untilAll(stores, known, 'pending');
  const keys = await cluster.masters[0]!.keys('*');
  const onFirst = (id: string) => keys.includes(broker.key(broker.shardOf(id), 'meta'));
  await cluster.replicated();
  await cluster.cutOff();
  const before = await startWorker(t, stores);
  await untilAll(stores, known, 'succeeded');
  await before.stop();

  // In line on the master alone.
  const lost = await accept(database);
  await untilAll(stores, lost, 'pending');
  await told.until(() => dispatched() === 2 * TASKS || undefined);
  cluster.killFirst();
  await told.first(({ event }) => event === 'loop.failed');
  await eventually('the replica is a master', async () =>
    (await cluster.replica.info('replication')).includes('role:master'),
  );
  await cluster.agreed();

  const after = await startWorker(t, stores);
  await untilAll(stores, [...known, ...lost], 'succeeded');
  const ids = [...known, ...lost].toSorted();
  assert.deepEqual([...before.ended, ...after.ended].toSorted(), ids);
  assert.equal(dispatched(), 2 * TASKS + lost.filter(onFirst).length, 'only what was lost');
  const again = new Set(after.given.filter((id) => known.includes(id)));
  assert.deepEqual(
    [...again].toSorted(),
    known.filter(onFirst).toSorted(),
    'given out, for nothing',
  );
  const { rows } = await database.pool.query<{ id: string; attempts: number; steps: number }>(
    `SELECT id, attempts, (SELECT count(*)::int FROM ai.task_steps WHERE task_id = t.id) AS steps
     FROM ai.tasks t WHERE status = 'done' ORDER BY id`,
  );
  assert.deepEqual(
    rows,
    ids.map((id) => ({ id, attempts: 1, steps: 1 })),
  );
});
