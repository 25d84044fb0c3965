/**
 * Runs test files, some processes at a time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withEngines } from './engines.ts';
import { readDurations, writeDurations } from './files.ts';
import { Report, wordsOf, type Again, type Counts } from './report.ts';
import { describeSpeed, measureSpeed } from './speed.ts';
import { runUnit, type UnitOptions } from './unit.ts';
import { unitsOf, type Unit } from './units.ts';

export interface TestRun extends UnitOptions {
  files: readonly string[];
  /** Files run at a time. */
  concurrency: number;
  again: Again;
}

/** Runs files on engines of their own, at the speed of this machine. An abort ends the files under way. */
export async function runOnEngines(run: TestRun, signal: AbortSignal): Promise<Counts> {
  const speed = await measureSpeed();
  process.stdout.write(`${describeSpeed(speed)}\n`);
  const { slowness } = speed;
  return withEngines(async (engines) => {
    const env = { ...run.env, ...engines, TEST_SLOWNESS: slowness.toFixed(2) };
    return runTests({ ...run, env, hangMs: run.hangMs * slowness }, signal);
  });
}

async function runTests(run: TestRun, signal: AbortSignal): Promise<Counts> {
  const report = new Report((line) => process.stdout.write(`${line}\n`), run.again);
  const durations = await readDurations();
  const fresh: Record<string, number> = { ...durations };
  // A test is found by its name where no suite is around it.
  const waiting =
    run.name === undefined
      ? unitsOf(run.files, durations)
      : run.files.map((file) => ({ files: [file], expectedMs: durations[file] }));
  const folder = await mkdtemp(path.join(tmpdir(), 'daodao-told-'));
  const startedMs = performance.now();
  let done = 0;
  const runLane = async (lane: number): Promise<void> => {
    for (
      let unit = waiting.shift();
      unit !== undefined && !signal.aborted;
      unit = waiting.shift()
    ) {
      const results = await runUnit(run, unit.files, path.join(folder, String(lane)), signal);
      for (const result of results) {
        fresh[result.file] = Math.round(result.durationMs);
        done++;
        const leftMs = left(waiting, (performance.now() - startedMs) / done) / run.concurrency;
        report.add(result, `${progress(done, run.files.length)}${estimate(leftMs)}`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: run.concurrency }, (_, lane) => runLane(lane)));
    if (run.name === undefined && !signal.aborted) await writeDurations(fresh);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  report.failures();
  process.stdout.write(`\n${((performance.now() - startedMs) / 1000).toFixed(0)} s\n`);
  return report.counts;
}

/** @returns how long what waits takes, in milliseconds; for what never ran it is a guess. @param fileMs for each file. */
function left(waiting: readonly Unit[], fileMs: number): number {
  return waiting.reduce((sum, unit) => sum + (unit.expectedMs ?? fileMs * unit.files.length), 0);
}

const progress = (done: number, all: number): string =>
  `${String(done).padStart(String(all).length)}/${all}`;

function estimate(leftMs: number): string {
  return leftMs < 1000 ? '' : `, ${Math.round(leftMs / 1000)} s left`.padEnd(13);
}

/** The last line of a run, and the exit code of the process. */
export function conclude(counts: Counts, { aborted }: AbortSignal): void {
  process.stdout.write(`${wordsOf(counts)}\n`);
  if (counts.failed > 0 || aborted) process.exitCode = 1;
}

/** Aborted by the signals that end a process. */
export function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interrupted.abort());
  }
  return interrupted.signal;
}
