/**
 * Runs many trials, some at a time: while one waits for a lease to run out, another has the processors.
 */
import { runBaseline } from './baseline.ts';
import { OwnEngines } from '../stage/own-engines.ts';
import { Stage } from '../stage/stage.ts';
import { runTrial, type Outcome, type Trial } from './trial.ts';

/** A trial whose fault could not be struck is made so often before that is told. */
const MOST_TRIES = 3;

/** Makes a trial, and again while its fault could not be struck. */
export async function untilStruck(attempt: () => Promise<Outcome>): Promise<Outcome> {
  for (let tries = 1; ; tries++) {
    const outcome = await attempt();
    if (outcome.unproven === undefined) return outcome;
    if (tries === MOST_TRIES) {
      return { ...outcome, unproven: `${outcome.unproven}, in ${MOST_TRIES} tries` };
    }
  }
}

export async function runTrials(
  trials: readonly Trial[],
  lanes: number,
  heard: (outcome: Outcome) => void = () => undefined,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const runLane = async (waiting: Trial[], open: () => Promise<Stage>): Promise<void> => {
    let stage: Stage | undefined;
    const attempt = async (trial: Trial): Promise<Outcome> => {
      if (stage === undefined) {
        stage = await open();
        await runBaseline(stage);
      }
      const outcome = await runTrial(stage, trial);
      if (outcome.unproven !== undefined || outcome.violations.length > 0) {
        // What went wrong once must not be counted again.
        await stage.close();
        stage = undefined;
      }
      return outcome;
    };
    try {
      for (let trial = waiting.shift(); trial !== undefined; trial = waiting.shift()) {
        const next = trial;
        const outcome = await untilStruck(() => attempt(next));
        outcomes.push(outcome);
        heard(outcome);
      }
    } finally {
      await stage?.close();
    }
  };
  const harmless = trials.filter(({ mode }) => mode !== 'X');
  const count = Math.min(lanes, harmless.length);
  await Promise.all(Array.from({ length: count }, () => runLane(harmless, () => Stage.open())));
  // Alone, as no other may share what it kills.
  const killing = trials.filter(({ mode }) => mode === 'X');
  await runLane(killing, async () => Stage.open(undefined, [], await OwnEngines.start()));
  return outcomes;
}
