/** Plays random graphs, some at a time, and judges each once nothing is left to do. */
import { randomUUID } from 'node:crypto';
import { transaction } from '../../../db/stores/postgres.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import type { GraphRequest } from '../../../db/tasks/graphs/request.ts';
import { acceptGraph } from '../../../db/tasks/graphs/store.ts';
import { toGraphRequest } from '../../../jobs/framework/canvas/to-request.ts';
import { describe, drawComposition, KNOWN } from './compositions.ts';
import { judge, type Past } from './judge.ts';
import { Player } from './player.ts';
import type { Means, Played } from './played.ts';

/** Graphs whose tasks share workers. */
const TOGETHER = 4;
/** Tasks of a graph, about. */
const MOST_TASKS = [3, 10, 25, 40] as const;

export interface Outcome {
  graphs: number;
  tasks: number;
  /** How often each event happened. */
  counts: Record<string, number>;
  /** Those of the first graphs that had any. */
  violations: string[];
}

/** Until so many graphs have been played or there are violations. */
export async function playGraphs(means: Means, count: number): Promise<Outcome> {
  const outcome: Outcome = { graphs: 0, tasks: 0, counts: {}, violations: [] };
  while (outcome.graphs < count && outcome.violations.length === 0) {
    const graphs = Array.from({ length: Math.min(TOGETHER, count - outcome.graphs) }, () =>
      drawGraph(means),
    );
    await playTogether(means, graphs, outcome);
  }
  return outcome;
}

function drawGraph({ chance, always }: Means): Played {
  return {
    ...drawComposition(chance, chance.pick(MOST_TASKS)),
    id: randomUUID(),
    isChecked: chance.isIn100(30),
    revokes: chance.pick(['nothing', 'nothing', 'nothing', 'nothing', 'tasks', 'all']),
    reopens: chance.pick([0, 0, 1, 2]),
    isRevoked: false,
    followed: new Map(),
    ...always,
  };
}

async function playTogether(means: Means, graphs: Played[], outcome: Outcome): Promise<void> {
  const { pool, chance } = means;
  const requests = graphs.map(({ composition, id }) => toGraphRequest(composition, { id }, KNOWN));
  for (const [index, graph] of graphs.entries()) await askBefore(means, graph, requests[index]!);
  const player = new Player(means, graphs);
  const { log } = player;
  const pasts = graphs.map((): Past => ({
    kept: new Map(),
    links: new Set(),
    since: 0,
    failed: [],
  }));
  for (const [index, request] of requests.entries()) {
    const { released } = await transaction(pool, (tx) => acceptGraph(tx, request));
    const before = [...graphs[index]!.followed.keys()];
    log.count('followed', before.length);
    player.release([...released, ...before.map((id) => ({ id }))]);
    outcome.graphs++;
    outcome.tasks += request.tasks.length;
  }
  for (let isOver = false; !isOver;) {
    await player.play();
    isOver = true;
    outcome.violations.push(...log.violations);
    if (log.violations.length > 0) return;
    for (const [index, graph] of graphs.entries()) {
      const past = pasts[index]!;
      const problems = await judge(pool, log, graph, past);
      const work = `${describe(graph.composition, graph)} (${graph.id})`;
      outcome.violations.push(...problems.map((problem) => `${problem}, in ${work}`));
      const { failed } = past;
      if (problems.length > 0 || failed.length === 0 || graph.reopens-- <= 0) continue;
      isOver = false;
      past.since = log.now();
      for (const id of chance.take(failed, failed.length)) await player.reopen(graph, id);
    }
  }
  for (const [event, times] of Object.entries(log.counts)) {
    outcome.counts[event] = (outcome.counts[event] ?? 0) + times;
  }
}

/** Others have asked for some of the work. */
async function askBefore(
  { pool, chance }: Means,
  graph: Played,
  { tasks }: GraphRequest,
): Promise<void> {
  for (const { request } of tasks) {
    if (!graph.keyed.includes(request.id) || chance.isIn100(50)) continue;
    const { id } = await acceptTask(pool, { ...request, id: randomUUID(), isChosenId: false });
    graph.followed.set(id, request.id);
  }
  // It ends without what it follows, at a time that the player does not see.
  if (graph.followed.size > 0 && graph.revokes === 'all') graph.revokes = 'tasks';
}
