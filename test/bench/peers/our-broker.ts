/**
 * What both ways to consume our queue need.
 */
import { Inspector, type Broker } from '../../../jobs/queue/index.ts';

/** Asks Redis until this job has succeeded there. Jobs are settled in the order they end, so all before it have too. */
export async function untilSucceeded(broker: Broker, id: string): Promise<void> {
  const inspector = new Inspector(broker);
  for (;;) {
    const { state } = await inspector.status(id);
    if (state === 'succeeded') return;
    if (state !== 'active') throw new Error(`job ${id} is ${state}`);
  }
}
