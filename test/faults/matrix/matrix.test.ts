import assert from 'node:assert/strict';
import test from 'node:test';
import { findUnits, runBaseline } from './baseline.ts';
import { chance, ORDERS, report, sizesOf } from '../experiment.ts';
import { difference, knownUnits, writeUnits } from './labels.ts';
import { runTrials } from './lanes.ts';
import { ALL_MODES, isInTests, MODES, type Fitting, type Mode } from './modes.ts';
import { Stage } from '../stage/stage.ts';
import type { Outcome, Trial } from './trial.ts';

const { lanes, rounds } = sizesOf('matrix', {
  /** Trials at a time, each on a copy of the application of its own. */
  lanes: { ci: 2, full: 2 },
  /** How often each trial is made. */
  rounds: { ci: 1, full: 1 },
});

/** A busy machine may be so slow that a lease runs out, which is no new unit. */
const BASELINES = 3;

test('the life of a job has the units that are written down', async () => {
  const stage = await Stage.open();
  try {
    await runBaseline(stage);
    if (ORDERS.writesLabels === true) return writeUnits(await findUnits(stage));
    let problem: string | undefined;
    for (let i = 0; i < BASELINES; i++) {
      problem = difference(await findUnits(stage));
      if (problem === undefined) return;
    }
    assert.fail(problem);
  } finally {
    await stage.close();
  }
});

test('whatever happens at whichever unit, no promise is broken', async (t) => {
  const trials = plan();
  const startedMs = performance.now();
  const outcomes = await runTrials(trials, lanes, (outcome) => {
    const problems = [...outcome.violations, ...unprovenOf(outcome)];
    if (problems.length === 0) return;
    t.diagnostic(`${titleOf(outcome)}: ${problems.join('; ')}`);
    for (const line of outcome.trace) t.diagnostic(line);
  });
  const seconds = (performance.now() - startedMs) / 1000;
  for (const mode of ALL_MODES) {
    const ofMode = outcomes.filter((outcome) => outcome.mode === mode);
    if (ofMode.length === 0) continue;
    t.diagnostic(`${mode}: ${summary(ofMode)}`);
  }
  report(t, {
    figure: `a fault at each of ${new Set(trials.map(({ unit }) => unit.label)).size} units of a job, modes ${modesOf(trials)}`,
    result: `${summary(outcomes)}, ${seconds.toFixed(0)} s`,
    violations: outcomes.flatMap((outcome) =>
      outcome.violations.map((violation) => `${titleOf(outcome)}: ${violation}`),
    ),
    unproven: outcomes.flatMap((outcome) =>
      unprovenOf(outcome).map((reason) => `${titleOf(outcome)}: ${reason}`),
    ),
  });
});

/** Every trial that was asked for, in an order of chance. */
function plan(): Trial[] {
  const { units, modes, full = false } = ORDERS;
  const isChosen = (mode: Mode, unit: Fitting): boolean => {
    if (units !== undefined && !units.includes(unit.label)) return false;
    if (modes !== undefined) return modes.includes(mode) && MODES[mode].fits(unit);
    return full || units !== undefined ? MODES[mode].fits(unit) : isInTests(mode, unit);
  };
  const trials = knownUnits().flatMap((unit) =>
    ALL_MODES.filter((mode) => isChosen(mode, unit)).flatMap((mode) =>
      Array.from({ length: rounds }, () => ({ unit, mode })),
    ),
  );
  const { integer } = chance();
  for (let i = trials.length - 1; i > 0; i--) {
    const j = integer(i + 1);
    [trials[i], trials[j]] = [trials[j]!, trials[i]!];
  }
  return trials;
}

function titleOf({ unit, mode }: Trial): string {
  return `${unit.label} in mode ${mode} (${MODES[mode].title})`;
}

function unprovenOf({ unproven }: Outcome): string[] {
  return unproven === undefined ? [] : [`not proven: ${unproven}`];
}

function modesOf(trials: readonly Trial[]): string {
  return ALL_MODES.filter((mode) => trials.some((trial) => trial.mode === mode)).join(', ');
}

function summary(outcomes: readonly Outcome[]): string {
  const late = outcomes.filter((outcome) => outcome.late !== undefined);
  const answered = late.filter((outcome) => outcome.late === 'answered').length;
  const broken = outcomes.filter(({ violations }) => violations.length > 0).length;
  const times = outcomes.map(({ durationMs }) => durationMs).toSorted((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? 0;
  const slowest = times.at(-1) ?? 0;
  return [
    `${outcomes.length} trials, ${broken} broken`,
    `median ${(median / 1000).toFixed(1)} s, slowest ${(slowest / 1000).toFixed(1)} s`,
    ...(late.length > 0 ? [`${answered} of ${late.length} late units executed`] : []),
  ].join(', ');
}
