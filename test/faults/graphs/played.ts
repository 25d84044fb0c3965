/** What is played: graphs, and attempts to run their tasks. */
import type { Pool } from '../../../db/stores/postgres.ts';
import type { End, Ending } from '../../../db/tasks/attempts.ts';
import type { endAndAdvance } from '../../../db/tasks/graphs/advance.ts';
import type { Chance } from './chance.ts';
import { resultOf, type Drawn } from './compositions.ts';

export const FAILURE = { code: 'TASK_FAILED', message: 'It fails.' } as const;

export interface Played extends Drawn {
  id: string;
  /** Whether the scheduler looks at it; otherwise it must go on without. */
  isChecked: boolean;
  revokes: 'nothing' | 'tasks' | 'all';
  /** How often what failed is to be reopened. */
  reopens: number;
  /** Whether it was revoked as a whole. */
  isRevoked: boolean;
  /** Tasks of other requests, which it follows, and those of its own that they stand for. */
  followed: Map<string, string>;
}

/** What a composition is judged by. */
export interface Given {
  numbers: ReadonlyMap<string, number>;
  /** Tasks that fail if they run. */
  failing: ReadonlySet<string>;
  /** Tasks that were revoked, whether or not they would have run. */
  revoked: ReadonlySet<string>;
  /** Results of tasks that were done before. */
  kept: ReadonlyMap<string, unknown>;
}

/** What becomes of a task. */
export interface Told {
  status: 'done' | 'error' | 'revoked' | 'skipped';
  result: unknown;
  previous: unknown;
  /** The tasks it runs after. */
  after: readonly string[];
}

/** An attempt under way, or one whose worker was thought dead. */
export interface Attempt {
  /** That of the row. */
  id: string;
  /** That of the task in the composition. */
  member: string;
  graph: Played;
  epoch: string;
  isFirst: boolean;
  previous: unknown;
}

export interface Finish {
  attempt: Attempt;
  end: End;
}

export interface Means {
  pool: Pool;
  chance: Chance;
  /** How workers end tasks. Default: as they do. */
  end?: typeof endAndAdvance;
  /** Of every graph. Default: drawn for each. */
  always?: Partial<Pick<Played, 'isChecked' | 'revokes' | 'reopens'>> | undefined;
}

/** Whether a process of an earlier release may settle it. Links of what that says has failed are stored by a check, if that comes in time. */
export function mayBeOld({ attempt: { graph }, end }: Finish): boolean {
  const isInTime = end.kind === 'succeeded' || !graph.hasLinks;
  return isInTime && graph.isChecked && graph.revokes !== 'all';
}

/** As an earlier release did: a check lets the graph go on. */
export const endOnly: typeof endAndAdvance = async (db, _ids, end) => ({
  ended: await end(db),
  released: [],
});

export function toEnding({ attempt: { id, epoch }, end }: Finish): Ending {
  return { fence: { id, epoch }, end };
}

export function lastEnd({ member, graph, previous }: Attempt): End {
  if (graph.failing.has(member)) return { kind: 'failed', ...FAILURE };
  return {
    kind: 'succeeded',
    result: JSON.stringify(resultOf(graph.numbers.get(member)!, previous)),
  };
}
