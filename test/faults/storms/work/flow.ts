/**
 * Durable tasks, single and in chords, asked for without a pause while a store is disturbed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../../support/queue/consumers.ts';
import { stormTask } from '../../../support/threads/storm-tasks.ts';
import { askForChord, type AskedChord } from './chords.ts';
import { readLines, type Asked } from './ledger.ts';
import type { Stage } from '../stage.ts';

/** One call in so many is a chord too. */
const CHORD_EACH = 8;

export interface Flow {
  /** Everything that was accepted. */
  accepted: ReadonlyMap<string, Asked>;
  chords: readonly AskedChord[];
  /** Calls that were refused. */
  refused: readonly unknown[];
  /** Jobs that have ended so far. */
  ended(): number;
  /** Stops asking, and resolves when all has ended. @returns how long that took, in ms. */
  drain(): Promise<number>;
}

/** @param paceMs pause after each call. */
export function startFlow(stage: Stage, integer: (below: number) => number, paceMs: number): Flow {
  const accepted = new Map<string, Asked>();
  const chords: AskedChord[] = [];
  const refused: unknown[] = [];
  let isOver = false;
  const flow = async (): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      const asked = { failures: n % 6 === 0 ? 1 : 0, ends: '' as const };
      const payload = { ...asked, file: stage.file, ms: integer(60) };
      const options = n % 5 === 0 ? { countdownMs: integer(1000) } : {};
      try {
        if (n % CHORD_EACH === 0) chords.push(await askForChord(stage.client, payload, accepted));
        const { id } = await stage.client.applyAsync(stormTask, payload, options);
        accepted.set(id, asked);
      } catch (error) {
        refused.push(error);
      }
      await sleep(paceMs);
    }
  };
  const flowing = flow();
  const ended = (): number =>
    new Set(readLines(stage.file).flatMap(({ what, id }) => (what === 'ended' ? [id] : []))).size;
  return {
    accepted,
    chords,
    refused,
    ended,
    async drain() {
      isOver = true;
      await flowing;
      const startedMs = performance.now();
      const isDrained = async (): Promise<boolean> => {
        const { rows } = await stage.db.query<{ open: number }>(
          'SELECT count(*)::int AS open FROM ai.tasks WHERE finished_at IS NULL',
        );
        return rows[0]!.open === 0;
      };
      // What is stuck shows in the ledger.
      await eventually('every job ends', isDrained).catch(() => undefined);
      return performance.now() - startedMs;
    },
  };
}
