/**
 * A process that adds jobs, all in one turn and so in many calls, until it is killed or done.
 */
import { Broker, Producer } from '../../jobs/queue/index.ts';
import { request } from './queue.ts';

export interface ProducerOptions {
  url: string;
  prefix: string;
  names: string[];
}

const { url, prefix, names } = JSON.parse(process.argv[2]!) as ProducerOptions;
const broker = new Broker({ url, prefix });
const producer = new Producer(broker);
process.once('disconnect', () => process.exit(0));
await Promise.all(names.map((name) => producer.enqueue(request(name))));
broker.close();
process.disconnect();
