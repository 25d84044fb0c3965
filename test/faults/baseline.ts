/**
 * The life of a job without faults, as labels.
 */
import { randomUUID } from 'node:crypto';
import { Producer } from './producer.ts';
import { settled } from './queue-state.ts';
import type { Stage } from './stage.ts';
import type { Unit } from './watch.ts';

const SETTLED_MS = 10_000;

/** Runs one job. The first of a stage also loads scripts and opens connections: it is no measure. */
export async function runBaseline(stage: Stage): Promise<Unit[]> {
  await stage.idle();
  const practice = await stage.person.practice();
  const watch = stage.begin(practice);
  const producer = new Producer(stage, practice, randomUUID());
  const id = await producer.insist(() => true);
  await stage.audit.ended(id);
  await settled(stage.stores.redis, id, SETTLED_MS);
  await stage.idle();
  return watch.units;
}
