/**
 * Runs many trials, some at a time: while one waits for a lease to run out, another has the processors.
 */
import { runBaseline } from './baseline.ts';
import { Stage } from './stage.ts';
import { runTrial, type Outcome, type Trial } from './trial.ts';

export async function runTrials(
  trials: readonly Trial[],
  lanes: number,
  heard: (outcome: Outcome) => void = () => undefined,
): Promise<Outcome[]> {
  const waiting = [...trials];
  const outcomes: Outcome[] = [];
  const runLane = async (): Promise<void> => {
    let stage: Stage | undefined;
    try {
      for (let trial = waiting.shift(); trial !== undefined; trial = waiting.shift()) {
        stage ??= await openWarm();
        const outcome = await runTrial(stage, trial);
        outcomes.push(outcome);
        heard(outcome);
        if (outcome.violations.length === 0) continue;
        // What went wrong once must not be counted again.
        await stage.close();
        stage = undefined;
      }
    } finally {
      await stage?.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, trials.length) }, runLane));
  return outcomes;
}

/** A stage whose scripts are loaded and connections open. */
async function openWarm(): Promise<Stage> {
  const stage = await Stage.open();
  await runBaseline(stage);
  return stage;
}
