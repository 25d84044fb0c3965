import test from 'node:test';
import { runBaseline } from '../matrix/baseline.ts';
import { report, sizesOf } from '../experiment.ts';
import { knownUnits } from '../matrix/labels.ts';
import { buildMutant } from './mutant-program.ts';
import { LEASE_MS, Stage } from '../stage/stage.ts';
import { MUTANTS, NO_END, type Mutant } from './mutants.ts';
import { MODES } from '../matrix/modes.ts';
import { untilStruck } from '../matrix/lanes.ts';
import { runTrial, type Outcome, type Trial } from '../matrix/trial.ts';

const { lanes } = sizesOf('mutants', {
  /** Mutants at a time, each a copy of the application of its own. */
  lanes: { ci: 2, full: 2 },
});

/** A trial that should come to no end is given up after so many leases, and so many times what a job takes without faults. */
const STUCK = { leases: 20, jobs: 20 };

/** A process that was stopped for so long gives up its query when it goes on, guard or no guard. In milliseconds. */
const OWN_DEADLINES_MS = 10_000;

test('every planted bug is noticed, and for the right reason', async (t) => {
  const startedMs = performance.now();
  const waiting = [...MUTANTS];
  const violations: string[] = [];
  const unproven: string[] = [];
  const runLane = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const { name, label, mode, shows } = mutant;
      const outcome = await tryMutant(mutant);
      const told = outcome.unproven ?? outcome.violations.join('; ');
      t.diagnostic(`${name}: ${label} in mode ${mode}: ${told}`);
      if (outcome.hasStruck && showsBug(outcome, shows)) continue;
      if (outcome.unproven !== undefined) {
        unproven.push(`"${name}": ${outcome.unproven}`);
        continue;
      }
      violations.push(`"${name}" survived ${label} in mode ${mode}: ${MODES[mode].title}`);
      for (const line of outcome.trace) t.diagnostic(line);
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  const seconds = (performance.now() - startedMs) / 1000;
  report(t, {
    figure: `${MUTANTS.length} planted bugs, one trial each`,
    result: `${MUTANTS.length - violations.length - unproven.length} noticed, ${seconds.toFixed(0)} s`,
    violations,
    unproven,
  });
});

const showsBug = ({ violations }: Outcome, shows: RegExp): boolean =>
  violations.some((violation) => shows.test(violation));

async function tryMutant({ patches, label, mode, shows }: Mutant): Promise<Outcome> {
  const unit = knownUnits().find((known) => known.label === label);
  if (unit === undefined) throw new Error(`no unit is called ${label}`);
  const program = await buildMutant(patches);
  try {
    return await untilStruck(async () => {
      const outcome = await tryOnce(program.folder, { unit, mode }, shows === NO_END);
      if (outcome.stoppedMs < OWN_DEADLINES_MS || showsBug(outcome, shows)) return outcome;
      return { ...outcome, unproven: 'the process was stopped for longer than its own deadlines' };
    });
  } finally {
    await program.remove();
  }
}

async function tryOnce(folder: string, trial: Trial, hasNoEnd: boolean): Promise<Outcome> {
  const { role } = trial.unit;
  const spares = role === 'scheduler' || MODES[trial.mode].process === 'lives' ? [] : [role];
  const stage = await Stage.open(folder, spares);
  try {
    await runBaseline(stage);
    if (!hasNoEnd) return await runTrial(stage, trial);
    const startedMs = performance.now();
    await runBaseline(stage);
    const jobMs = performance.now() - startedMs;
    return await runTrial(stage, trial, STUCK.leases * LEASE_MS + STUCK.jobs * jobMs);
  } finally {
    await stage.close();
  }
}
