/**
 * The life of a job without faults, as labels.
 */
import type { Fitting } from './modes.ts';
import { settled } from '../stage/queue-state.ts';
import type { Stage } from '../stage/stage.ts';
import { isOf, producerOf, send, WAYS, type Way } from './ways.ts';

/** The units of every way of a job, in the order they came. */
export async function findUnits(stage: Stage): Promise<Fitting[]> {
  const units: Fitting[] = [];
  for (const way of WAYS) units.push(...(await runBaseline(stage, way)));
  return units;
}

/** Runs one job. The first of a stage also loads scripts and opens connections: it is no measure. */
export async function runBaseline(stage: Stage, way: Way = 'handed over'): Promise<Fitting[]> {
  await stage.idle();
  const practice = await stage.person.practice();
  const watch = stage.begin(practice);
  const producer = producerOf(way, stage, practice);
  const id = await send(way, stage, watch, producer);
  if (id === undefined) throw new Error('a request without faults got no 202');
  await stage.audit.ended(id);
  await settled(stage.stores.redis, id);
  await stage.idle();
  return watch.units.filter((unit) => isOf(way, unit)).map((unit) => ({ ...unit, way }));
}
