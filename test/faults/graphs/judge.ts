/** Compares what became of a graph with the reference and with what the player saw. */
import { isDeepStrictEqual } from 'node:util';
import type { Pool } from '../../../db/stores/postgres.ts';
import { findGraph, findOutput } from '../../../db/tasks/graphs/read.ts';
import type { End, Log } from './log.ts';
import type { Given, Played, Told } from './played.ts';
import { Reference } from './reference.ts';

interface TaskRow extends Record<string, unknown> {
  id: string;
  graph_id: string | null;
  node: number | null;
  status: string;
  error_code: string | null;
  result: unknown;
}

/** What is known from one life of a graph to the next, in which failed tasks were reopened. */
export interface Past {
  kept: Map<string, unknown>;
  links: Set<string>;
  /** When this life began. */
  since: number;
  /** Failed tasks that may be reopened together: none runs after another one. */
  failed: string[];
}

/** @returns every way in which a graph that nothing is left to do for is not what it must be; what it has done is added to `past`. */
export async function judge(pool: Pool, log: Log, graph: Played, past: Past): Promise<string[]> {
  const problems: string[] = [];
  const must = (what: string, actual: unknown, expected: unknown): void => {
    if (isDeepStrictEqual(actual, expected)) return;
    problems.push(`${what} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
  };
  const nameOf = (id: string): string => `task ${graph.numbers.get(id)}`;
  const stands = await pool.query<TaskRow>(
    'SELECT id, graph_id, node, status, error_code, result FROM ai.tasks WHERE graph_id = $1 OR id = ANY($2)',
    [graph.id, [...graph.followed.keys()]],
  );
  const rows = stands.rows.map((each) => ({ ...each, id: graph.followed.get(each.id) ?? each.id }));
  const row = (await findGraph(pool, graph.id))!;
  for (const { id, status } of rows) {
    problems.push(...log.problemsOf(id).map((problem) => `${nameOf(id)} ${problem}`));
    if (['waiting', 'queued', 'running'].includes(status))
      problems.push(`${nameOf(id)} is ${status}`);
  }
  if (row.finished_at === null) problems.push('the graph has not ended');
  const reference = new Reference(graph.composition, given(log, graph, past));
  for (const link of reference.links) past.links.add(link);
  const isLink = ({ graph_id, node }: TaskRow) => graph_id !== null && node === null;
  const stored = rows.filter(isLink).map(({ id }) => id);
  must('the links stored', stored.map(nameOf).sort(), [...past.links].map(nameOf).sort());

  const told = rows.filter((each) => !isLink(each));
  must('the number of tasks', told.length, reference.tasks.size);
  for (const task of told) {
    must(
      nameOf(task.id),
      statusOf(task),
      graph.isRevoked ? seenStatus(log, task.id) : reference.tasks.get(task.id)!.status,
    );
    if (statusOf(task) === 'skipped' && log.of(task.id).runs.length > 0) {
      problems.push(`${nameOf(task.id)} was skipped and ran`);
    }
    if (task.status === 'done') past.kept.set(task.id, task.result);
  }
  past.failed = graph.isRevoked ? [] : reopenable(log, graph, reference);
  if (graph.isRevoked) {
    must('the status', row.status, 'revoked');
    return problems;
  }
  must('the status', row.status, reference.status);
  const output = await findOutput(pool, graph.id, row.output);
  if (row.status === 'done') must('the result', output, reference.result);
  const failed = told
    .filter((task) => ['error', 'revoked'].includes(statusOf(task)))
    .map(({ id }) => id);
  const isKnown = row.cause === null ? graph.followed.size > 0 : failed.includes(row.cause);
  if (row.status === 'error' && !isKnown) problems.push('the cause did not fail');
  for (const [id, expected] of reference.tasks) problems.push(...problemsOfRuns(id, expected));
  return problems;

  function problemsOfRuns(id: string, expected: Told): string[] {
    const found: string[] = [];
    for (const { previous, at } of log.of(id).runs) {
      if (at < past.since) continue;
      const isSame = isDeepStrictEqual(previous, expected.previous);
      if (!isSame)
        found.push(
          `${nameOf(id)} took ${JSON.stringify(previous)}, not ${JSON.stringify(expected.previous)}`,
        );
      for (const before of expected.after) {
        if (!hadEnded(before, at))
          found.push(`${nameOf(id)} ran before ${nameOf(before)} had ended`);
      }
      if (found.length > 0) break;
    }
    return found;
  }

  function hadEnded(id: string, time: number): boolean {
    const { status, after } = reference.tasks.get(id)!;
    if (status !== 'skipped') return log.hadEnded(id, time);
    return after.every((before) => hadEnded(before, time));
  }
}

function given(log: Log, graph: Played, { kept }: Past): Given {
  const { numbers, failing, isRevoked } = graph;
  if (!isRevoked)
    return { numbers, failing, revoked: new Set(seenAs(log, graph, 'revoked')), kept };
  // Links are stored for what failed before.
  const failed = new Set(seenAs(log, graph, 'error'));
  const others = [...numbers.keys()].filter((id) => !failed.has(id));
  const spared = new Map(others.map((id) => [id, undefined]));
  return { numbers, failing: failed, revoked: new Set(), kept: spared };
}

/** Failed tasks of which none runs after another one. */
function reopenable(log: Log, graph: Played, reference: Reference): string[] {
  const followed = [...graph.followed.values()];
  const failed = seenAs(log, graph, 'error').filter((id) => !followed.includes(id));
  const followsOne = (id: string): boolean =>
    reference.tasks.get(id)!.after.some((before) => failed.includes(before) || followsOne(before));
  return failed.filter((id) => reference.tasks.has(id) && !followsOne(id));
}

function seenAs(log: Log, { numbers }: Played, kind: End['kind']): string[] {
  return [...numbers.keys()].filter((id) => log.endOf(id)?.kind === kind);
}

function statusOf({ status, error_code }: TaskRow): string {
  return error_code === 'TASK_SKIPPED' ? 'skipped' : status;
}

function seenStatus(log: Log, id: string): string {
  return log.endOf(id)?.kind ?? 'skipped';
}
