/**
 * A process that adds jobs, all in one turn and so in many calls, and stops dead once some are known to be added: it waits to
 * be killed.
 */
import { Broker, Producer } from '../../../jobs/queue/index.ts';
import { request } from './scripts.ts';

export interface ProducerOptions {
  url: string;
  prefix: string;
  names: string[];
  /** How many are answered before it stops. Some more are on their way by then. */
  answered: number;
}

const { url, prefix, names, answered } = JSON.parse(process.argv[2]!) as ProducerOptions;
const producer = new Producer(new Broker({ url, prefix }));
process.once('disconnect', () => process.exit(0));
let count = 0;
for (const name of names) {
  void producer.enqueue(request(name)).then(() => {
    // In this very turn, so that nothing is sent after it.
    if (++count === answered) process.kill(process.pid, 'SIGSTOP');
  });
}
