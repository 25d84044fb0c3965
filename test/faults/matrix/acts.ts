/**
 * What happens to the process whose unit is held.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mode } from './modes.ts';
import type { GatedProcess } from '../stage/processes.ts';
import { stretched } from '../../support/patience.ts';
import { LEASE_MS, type Stage } from '../stage/stage.ts';
import type { Strike, Watch } from '../gate/watch.ts';

/** Longest wait for the successor of a stopped worker to begin, in milliseconds: sixty leases. */
const SUCCESSOR_MS = stretched(30_000);

/** The fault could not be struck: what came of the job says nothing of it. */
export class NotProven extends Error {}

/**
 * At once, before anything else can happen.
 * @returns when a process that lives has noticed, if that takes it long: until then the next job would suffer of it too.
 */
export function act(
  stage: Stage,
  watch: Watch,
  mode: Mode,
  { unit, passage }: Strike,
): Promise<void> | void {
  const owner = ownerOf(stage, { unit, passage });
  switch (mode) {
    case 'B':
      return owner.kill('SIGKILL');
    case 'A':
      // What shows itself in a reply alone has been executed when that is there: here it also arrives.
      if (unit.place === 'reply') passage.pass();
      return owner.kill('SIGKILL');
    case 'L':
      passage.keep();
      return owner.kill('SIGKILL');
    case 'D':
      return passage.reset();
    case 'H':
      return passage.mute();
    case 'Z':
    case 'W':
      return owner.kill('SIGSTOP');
    case 'E':
      return passage.refuse();
    case 'T':
      return void endThread(stage, watch, owner);
    case 'X':
      if (unit.store !== 'llm') stage.restart(unit.store);
  }
}

export function ownerOf(stage: Stage, { unit }: Strike): GatedProcess {
  return stage.processes.find(({ pid }) => pid === unit.pid)!;
}

/** A thread is ended only once its process knows that it has begun with the job. */
async function endThread(stage: Stage, watch: Watch, owner: GatedProcess): Promise<void> {
  const [id] = watch.jobs;
  while (stage.watch === watch) {
    const answer = await stage.ask(owner, 'terminate', { id }).catch(() => undefined);
    if ((answer as { terminated: boolean } | undefined)?.terminated === true) return;
    await sleep(20);
  }
}

/**
 * Lets a stopped process go on with what was held, three leases after it was stopped at the earliest.
 * @returns how long it was stopped, in milliseconds.
 */
export async function goOn(
  watch: Watch,
  owner: GatedProcess,
  { unit, passage }: Strike,
): Promise<number> {
  const stoppedMs = () => performance.now() - watch.startedMs - unit.atMs;
  await sleep(Math.max(0, 3 * LEASE_MS - stoppedMs()));
  owner.kill('SIGCONT');
  passage.pass();
  return stoppedMs();
}

/** Lets a stopped worker go on while its successor has begun the job and is held there. @returns as `goOn`. */
export async function goOnBeside(
  stage: Stage,
  watch: Watch,
  owner: GatedProcess,
  strike: Strike,
): Promise<number> {
  const overdue = new AbortController();
  const late = sleep(SUCCESSOR_MS, undefined, { signal: overdue.signal });
  late.catch(() => undefined);
  const begun = new Promise<Strike>((resolve) => {
    watch.targets.push({
      fits: ({ role, store, pid, label }) =>
        role === 'worker' &&
        store === 'pg' &&
        pid !== owner.pid &&
        !label.includes(':UPDATE ai.tasks#'),
      place: 'request',
      strike: resolve,
    });
  });
  await stage.replace('worker');
  const successor = await Promise.race([begun, late]);
  overdue.abort();
  if (successor === undefined) throw new NotProven('no other worker began the job');
  const stoppedMs = await goOn(watch, owner, strike);
  await holdsNothing(stage, watch, owner);
  successor.passage.pass();
  return stoppedMs;
}

/** Resolves once a worker has no job, nor a thread that still runs one it has lost. */
export async function holdsNothing(stage: Stage, watch: Watch, owner: GatedProcess): Promise<void> {
  while (stage.watch === watch) {
    const active = (await stage.ask(owner, 'active', {})) as { held: number; jobs: unknown[] };
    if (active.held === 0 && active.jobs.length === 0) return;
    await sleep(10);
  }
}
