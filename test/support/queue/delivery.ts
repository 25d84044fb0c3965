/**
 * A job as a worker gets it.
 */
import { randomUUID } from 'node:crypto';
import type { Delivery } from '../../../jobs/queue/index.ts';

/** For the first time and not to blame for anything, unless it is said otherwise. */
export function delivery(facts: Partial<Delivery['job'] & Delivery['counts']> = {}): Delivery {
  const { attempts = 0, deaths = 0, mark = '', ...given } = facts;
  const job = {
    id: randomUUID(),
    task: 'test.task',
    queue: 'default',
    priority: 5,
    createdAtMs: Date.now(),
    expiresAtMs: undefined,
    headers: {},
    payload: '{}',
    ...given,
  };
  return { job, counts: { attempts, deaths, mark } };
}
