/** The queue on its own: adds a job, runs it, waits for its result. Needs a Redis at REDIS_URL. */
import { randomUUID } from 'node:crypto';
import { Broker, Producer, Results, Runner } from '../../jobs/queue/index.ts';

const broker = new Broker({
  url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
  prefix: 'example',
});
await broker.open();
const runner = new Runner(broker, {
  queues: ['sums'],
  run: (job) => JSON.stringify((JSON.parse(job.payload) as number[]).reduce((a, b) => a + b)),
  retry: (_error, attempts) => (attempts < 3 ? 1000 * 2 ** attempts : undefined),
});
const results = new Results(broker);
await runner.start();
await results.start();

const id = randomUUID();
await new Producer(broker).enqueue({ id, task: 'sum', queue: 'sums', payload: '[1,2,39]' });
const { state, result } = await results.get(id, { timeoutMs: 60_000 });
process.stdout.write(`${state}: ${result}\n`);

await runner.stop();
await results.stop();
broker.close();
