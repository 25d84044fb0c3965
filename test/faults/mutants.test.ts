import test from 'node:test';
import { runBaseline } from './baseline.ts';
import { report, sizesOf } from './experiment.ts';
import { knownUnits } from './labels.ts';
import { buildMutant } from './mutant-program.ts';
import { MUTANTS, STUCK, type Mutant } from './mutants.ts';
import { MODES } from './modes.ts';
import { Stage } from './stage.ts';
import { runTrial, type Outcome } from './trial.ts';

const { lanes } = sizesOf('mutants', {
  /** Mutants at a time, each a copy of the application of its own. */
  lanes: { ci: 2, full: 2 },
});

/** A trial that should come to no end is given up after this long; any other may be slow on a busy machine. In milliseconds. */
const STUCK_MS = 10_000;
const SLOW_MS = 30_000;

test('every planted bug is noticed, and for the right reason', async (t) => {
  const startedMs = performance.now();
  const waiting = [...MUTANTS];
  const violations: string[] = [];
  const runLane = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const { name, label, mode, shows } = mutant;
      const outcome = await tryMutant(mutant);
      const shown = outcome.violations.find((violation) => shows.test(violation));
      t.diagnostic(`${name}: ${label} in mode ${mode}: ${outcome.violations.join('; ')}`);
      if (outcome.hasStruck && shown !== undefined) continue;
      violations.push(`"${name}" survived ${label} in mode ${mode}: ${MODES[mode].title}`);
      for (const line of outcome.trace) t.diagnostic(line);
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  const seconds = (performance.now() - startedMs) / 1000;
  report(t, {
    figure: `${MUTANTS.length} planted bugs, one trial each`,
    result: `${MUTANTS.length - violations.length} noticed, ${seconds.toFixed(0)} s`,
    violations,
  });
});

async function tryMutant({ patches, label, mode, shows }: Mutant): Promise<Outcome> {
  const unit = knownUnits().find((known) => known.label === label);
  if (unit === undefined) throw new Error(`no unit is called ${label}`);
  const program = await buildMutant(patches);
  try {
    const { role } = unit;
    const spares = role === 'scheduler' || MODES[mode].process === 'lives' ? [] : [role];
    const stage = await Stage.open(program.folder, spares);
    try {
      await runBaseline(stage);
      return await runTrial(stage, { unit, mode }, shows === STUCK ? STUCK_MS : SLOW_MS);
    } finally {
      await stage.close();
    }
  } finally {
    await program.remove();
  }
}
