/**
 * The names of the queue's scripts as a program sends them, from its own sha table.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { script, ScriptName } from '../../../jobs/queue/broker/scripts.ts';
import type { ScriptNames } from './framers/resp.ts';

/** Every name, or it does not compile. */
const NAMES: Record<ScriptName, true> = {
  enqueue: true,
  step: true,
  renew: true,
  reap: true,
  resync: true,
  leased: true,
  leave: true,
  progress: true,
  mark: true,
  revoke: true,
  requeue: true,
  reschedule: true,
  command: true,
  reply: true,
  pause: true,
  purge: true,
  remove: true,
  describe: true,
  overview: true,
  status: true,
  tally: true,
  turn: true,
  page: true,
  repair: true,
};

/** @param program folder of a compiled program. */
export async function scriptNames(program: string): Promise<ScriptNames> {
  const file = pathToFileURL(path.join(program, 'jobs', 'queue', 'broker', 'scripts.js'));
  const compiled = (await import(file.href)) as { script: typeof script };
  const names = new Map<string, string>();
  for (const name of Object.keys(NAMES) as ScriptName[]) {
    const { sha, source } = compiled.script(name);
    names.set(sha, name).set(source, name);
  }
  return names;
}
