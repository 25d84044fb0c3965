/**
 * Runs many trials, some at a time: while one waits for a lease to run out, another has the processors.
 */
import { runBaseline } from './baseline.ts';
import { OwnEngines } from './own-engines.ts';
import { Stage } from './stage.ts';
import { runTrial, type Outcome, type Trial } from './trial.ts';

/** A fault that could not be struck is tried again so often before it is told. */
export const MOST_TRIES = 3;

export async function runTrials(
  trials: readonly Trial[],
  lanes: number,
  heard: (outcome: Outcome) => void = () => undefined,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const runLane = async (waiting: Trial[], open: () => Promise<Stage>): Promise<void> => {
    let stage: Stage | undefined;
    try {
      for (let trial = waiting.shift(); trial !== undefined; trial = waiting.shift()) {
        let outcome: Outcome;
        let tries = 0;
        do {
          if (stage === undefined) {
            stage = await open();
            await runBaseline(stage);
          }
          outcome = await runTrial(stage, trial);
          tries++;
          if (outcome.unproven === undefined && outcome.violations.length === 0) break;
          // What went wrong once must not be counted again.
          await stage.close();
          stage = undefined;
        } while (outcome.unproven !== undefined && tries < MOST_TRIES);
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
