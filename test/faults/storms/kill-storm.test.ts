/**
 * Workers are killed and threads ended while jobs of every kind flow.
 */
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/queue/consumers.ts';
import { stretched } from '../../support/patience.ts';
import { stormTask, transientStormTask, type Storm } from '../../support/threads/storm-tasks.ts';
import { chance, report, sizesOf } from '../experiment.ts';
import { askForChord, violationsOfChords, type AskedChord } from './work/chords.ts';
import { readLines, struckOut, violationsOf, type Asked } from './work/ledger.ts';
import { openStageOnSharedStores, type Stage } from './stage.ts';

const SIZES = sizesOf('kill-storm', {
  /** Jobs of every kind. */
  jobs: { ci: 400, full: 10_000 },
  /** Worker processes killed. */
  processes: { ci: 15, full: 300 },
  /** Threads ended by command. */
  threads: { ci: 20, full: 500 },
});
const WORKERS = 3;
const LEASE_MS = stretched(1000);
/** Jobs under way at a time, at most. */
const IN_FLIGHT = 60;
/** One in so many jobs ends its thread, and one its process. */
const POISON = { thread: 130, process: 190 };
/** One in so many jobs is a chord. */
const CHORD_EACH = 12;

const { integer, next } = chance();

type Event = 'job' | 'process' | 'thread';

/** Everything that is to happen, in an order of chance. */
function plan(): Event[] {
  const counts: [Event, number][] = [
    ['job', SIZES.jobs],
    ['process', SIZES.processes],
    ['thread', SIZES.threads],
  ];
  return counts
    .flatMap(([event, count]) => Array.from({ length: count }, () => ({ event, at: next() })))
    .toSorted((a, b) => a.at - b.at)
    .map(({ event }) => event);
}

test('a kill storm', async (t) => {
  const stage = await openStageOnSharedStores(t, { leaseMs: LEASE_MS });
  await stage.startScheduler();
  for (let i = 0; i < WORKERS; i++) stage.startWorker();
  await Promise.all(stage.workers.map(({ ready }) => ready));

  const durable = new Map<string, Asked>();
  const transient = new Set<string>();
  const chords: AskedChord[] = [];
  const killed = new Set<number>();
  const startedMs = performance.now();
  let asked = 0;
  for (const event of plan()) {
    if (event === 'job') {
      await room(stage, durable, transient);
      await ask(stage, asked++, { durable, transient, chords });
    } else if (event === 'process') killed.add(await killProcess(stage));
    else await endThread(stage, durable);
  }
  const stormMs = performance.now() - startedMs;

  const violations: string[] = [];
  const excused = struckOut(stage.file, killed);
  // What waits for a job that was given up does not run.
  for (const { members, callback } of chords) {
    if (members.some((member) => excused.has(member))) excused.add(callback);
  }
  const ended = new Set(excused);
  await eventually('every job ends', () => hasEnded(stage, durable, transient, ended)).catch(
    async () => violations.push(...(await stuck(stage))),
  );
  violations.push(...(await violationsOf(stage.db, stage.file, durable, excused)));
  violations.push(...(await violationsOfChords(stage.db, stage.file, chords)));
  violations.push(...(await lost(stage, transient, excused)));
  const poison = [...durable.values()].filter(({ ends }) => ends !== '').length;
  const seconds = (performance.now() - startedMs) / 1000;
  report(t, {
    figure: `kill storm: ${SIZES.jobs} jobs, ${SIZES.processes} processes and ${SIZES.threads} threads killed`,
    result: `${violations.length} violations; ${chords.length} chords, ${poison} poison jobs, ${excused.size} struck three times by the storm itself; ${linesOf(stage, 'begun').length} starts, storm ${(stormMs / 1000).toFixed(0)} s, drained after ${seconds.toFixed(0)} s`,
    violations,
  });
});

const linesOf = ({ file }: Stage, what: string): string[] =>
  readLines(file).flatMap((line) => (line.what === what ? [line.id] : []));

interface Kinds {
  durable: Map<string, Asked>;
  transient: Set<string>;
  chords: AskedChord[];
}

async function ask(
  { client, file }: Stage,
  n: number,
  { durable, transient, chords }: Kinds,
): Promise<void> {
  const ends = n % POISON.thread === 50 ? 'thread' : n % POISON.process === 100 ? 'process' : '';
  const payload: Storm = { file, ms: integer(120), failures: n % 7 === 0 ? 2 : 0, ends };
  const options = n % 5 === 0 ? { countdownMs: integer(2000) } : {};
  if (n % 4 === 3 && ends === '') {
    transient.add((await client.applyAsync(transientStormTask, payload, options)).id);
  } else if (n % CHORD_EACH === 0 && ends === '') {
    chords.push(await askForChord(client, payload, durable));
  } else {
    const { id } = await client.applyAsync(stormTask, payload, options);
    durable.set(id, { failures: payload.failures, ends });
  }
}

/** Waits until fewer jobs are under way than may be. */
async function room(
  stage: Stage,
  durable: ReadonlyMap<string, Asked>,
  transient: ReadonlySet<string>,
): Promise<void> {
  const healthy = [...durable.values()].filter(({ ends }) => ends === '').length + transient.size;
  while (healthy - new Set(linesOf(stage, 'ended')).size > IN_FLIGHT) await sleep(20);
}

/** @returns its pid. */
async function killProcess({ workers }: Stage): Promise<number> {
  for (;;) {
    const ready = workers.filter(({ isReady }) => isReady);
    // One is left, so that work goes on.
    if (ready.length > 1) {
      const victim = ready[integer(ready.length)]!;
      victim.isReady = false;
      victim.run.child.kill('SIGKILL');
      return victim.pid;
    }
    await Promise.race(workers.flatMap(({ isReady, ready: until }) => (isReady ? [] : [until])));
    await sleep(10);
  }
}

/** Ends the thread of a job that runs, whichever answers first. */
async function endThread(stage: Stage, durable: ReadonlyMap<string, Asked>): Promise<void> {
  for (;;) {
    const ended = new Set(linesOf(stage, 'ended'));
    const isPoison = (id: string): boolean => (durable.get(id)?.ends ?? '') !== '';
    const running = linesOf(stage, 'begun').filter((id) => !ended.has(id) && !isPoison(id));
    const id = running[integer(running.length)];
    if (id === undefined) {
      await sleep(20);
      const { file, client } = stage;
      await client.applyAsync(transientStormTask, { file, ms: 500, failures: 0, ends: '' });
      continue;
    }
    const answers = await stage.control
      .broadcast('terminate', { id }, { timeoutMs: 300 })
      // On a busy machine nobody may have heard it in time.
      .catch(() => []);
    if (answers.some((answer) => JSON.stringify(answer).includes('"terminated":true'))) return;
  }
}

async function hasEnded(
  { db, file }: Stage,
  durable: ReadonlyMap<string, Asked>,
  transient: ReadonlySet<string>,
  ended: Set<string>,
): Promise<boolean> {
  const { rows } = await db.query<{ open: number }>(
    'SELECT count(*)::int AS open FROM ai.tasks WHERE finished_at IS NULL',
  );
  for (const { what, id } of readLines(file)) if (what === 'ended') ended.add(id);
  return rows[0]!.open === 0 && durable.size > 0 && [...transient].every((id) => ended.has(id));
}

/** Jobs of Redis alone that have not ended, with what the queue knows of them. */
async function lost(
  stage: Stage,
  transient: ReadonlySet<string>,
  excused: ReadonlySet<string>,
): Promise<string[]> {
  const done = new Set(linesOf(stage, 'ended'));
  const missing = [...transient].filter((id) => !done.has(id) && !excused.has(id));
  const statuses = await stage.inspector.statuses(missing);
  return statuses.map(({ id, state, reason }) => `${id}: not done, ${state} ${reason?.code ?? ''}`);
}

/** What the queue knows of tasks that do not end. */
async function stuck({ db, inspector, file }: Stage): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    'SELECT id FROM ai.tasks WHERE finished_at IS NULL',
  );
  const statuses = await inspector.statuses(rows.map(({ id }) => id));
  return statuses.map(({ id, state, counts }) => {
    const starts = readLines(file).filter((line) => line.id === id && line.what === 'begun').length;
    return `${id} is stuck: ${state}, ${JSON.stringify(counts)}, ${starts} starts`;
  });
}
