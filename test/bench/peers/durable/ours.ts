/**
 * Durable tasks of this repository: the client as in a process of the API, and a process with `ROLE=worker` and its
 * default settings.
 */
import { startApp } from '../../../../app.ts';
import { countEvents } from '../../../../base/telemetry/metrics.ts';
import { createPool } from '../../../../db/stores/postgres.ts';
import { migrate } from '../../../../db/stores/migrate.ts';
import { chord } from '../../../../jobs/framework/canvas/combinators.ts';
import { createTaskClient } from '../../../../jobs/framework/calls/client.ts';
import { TaskWaiter } from '../../../../jobs/framework/calls/waiter.ts';
import { Broker } from '../../../../jobs/queue/index.ts';
import { testConfig } from '../../../support/config.ts';
import { BENCH_TASKS, durable } from '../../children/bench-tasks.ts';
import { ourTelemetry, tallyJobs } from '../our-telemetry.ts';
import { monotonicMs } from '../peer.ts';
import { CONNECTIONS, type DurableClient, type DurablePeer, type DurablePlace } from './peer.ts';

const THREAD = new URL('../../children/thread-task.js', import.meta.url);
const FOLLOW_MS = 10_000;
const CHORD_MS = 80_000;

export const ours: DurablePeer = {
  openClient,

  async openWorker({ databaseUrl, redisUrl }, ended) {
    const config = testConfig({ role: 'worker', databaseUrl, redisUrl, workerThreads: 2 });
    const telemetry = ourTelemetry();
    tallyJobs(telemetry, ended);
    await startApp(config, telemetry, { tasks: BENCH_TASKS, thread: THREAD });
  },
};

async function openClient({ databaseUrl, redisUrl }: DurablePlace): Promise<DurableClient> {
  await migrate(databaseUrl, ['daodao', 'ai']);
  const { queuePrefix: prefix, workerQueues: queues } = testConfig();
  const telemetry = ourTelemetry();
  countEvents(telemetry);
  const db = createPool(databaseUrl, { max: CONNECTIONS, name: 'daodao-bench' });
  const broker = new Broker({ url: redisUrl, prefix });
  await broker.open();
  const waiter = new TaskWaiter(db, broker, (error) =>
    telemetry.emit('loop.failed', { loop: 'task waiter', error }),
  );
  await waiter.start();
  const client = createTaskClient({ db, broker, waiter, telemetry, tasks: BENCH_TASKS, queues });
  return {
    call: (payload) => client.enqueue(durable, payload),
    callMany: (payloads) => client.enqueueMany(payloads.map((payload) => durable.s(payload))),
    async chord(payload, members) {
      const header = Array.from({ length: members }, () => durable.s(payload));
      const { id } = await client.enqueue(chord(header, durable.si(payload)));
      await client.graphs.result(id).get({ timeoutMs: CHORD_MS });
    },
    async follow(payload) {
      const { id } = await client.enqueue(durable, payload);
      const acceptedMs = monotonicMs();
      await client.result(id, durable).get({ timeoutMs: FOLLOW_MS });
      return { acceptedMs, endedMs: monotonicMs() };
    },
  };
}
