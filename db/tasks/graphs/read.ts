/** Reads graphs: their state, their outputs, and their nodes. */
import type { ErrorCode } from '../../../base/errors.ts';
import type { Queryable } from '../../stores/postgres.ts';
import type { TaskStatus } from '../rows.ts';

export type GraphStatus = 'running' | 'done' | 'error' | 'revoked';

export interface GraphRow {
  id: string;
  status: GraphStatus;
  /** External id of the requesting user; null for sweeps. */
  user_id: string | null;
  /** The node whose output is the result. */
  output: number;
  /** Number of tasks. */
  size: number;
  /** The task that failed first, once the graph has ended. */
  cause: string | null;
  error_code: ErrorCode | null;
  error_message: string | null;
  created_at: Date;
  finished_at: Date | null;
}

export async function findGraph(db: Queryable, id: string): Promise<GraphRow | undefined> {
  const { rows } = await db.query<GraphRow & Record<string, unknown>>(
    `SELECT g.id, g.status, g.user_id, g.output, g.size, g.cause, g.created_at, g.finished_at, t.error_code, t.error_message
     FROM ai.graphs g LEFT JOIN ai.tasks t ON t.id = g.cause WHERE g.id = $1`,
    [id],
  );
  return rows[0];
}

export interface GraphTotals {
  /** How many of its tasks have each status. Tasks of other requests that it follows count too. */
  counts: Partial<Record<TaskStatus, number>>;
  /** Size of all results as they are stored, which may be compressed. */
  resultBytes: number;
}

export async function countTasks(db: Queryable, id: string): Promise<GraphTotals> {
  const { rows } = await db.query<{ status: TaskStatus; tasks: number; bytes: number }>(
    `SELECT status, count(*)::int AS tasks, coalesce(sum(pg_column_size(result)), 0)::float8 AS bytes FROM ai.tasks
     WHERE graph_id = $1 OR id IN (SELECT follows FROM ai.graph_junctions WHERE graph_id = $1) GROUP BY status`,
    [id],
  );
  return {
    counts: Object.fromEntries(rows.map(({ status, tasks }) => [status, tasks])),
    resultBytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

export interface GraphMember {
  id: string;
  name: string;
  status: TaskStatus;
  subject: string | null;
  error_code: ErrorCode | null;
  /** Null for the task of a `linkError`. */
  node: number | null;
}

/** Its tasks and those it follows, in the order of their nodes. */
export async function listTasks(db: Queryable, id: string, limit: number): Promise<GraphMember[]> {
  const columns = 't.id, t.name, t.status, t.subject, t.error_code';
  const { rows } = await db.query<GraphMember & Record<string, unknown>>(
    `SELECT ${columns}, t.node FROM ai.tasks t WHERE t.graph_id = $1
     UNION ALL
     SELECT ${columns}, j.node FROM ai.graph_junctions j JOIN ai.tasks t ON t.id = j.follows WHERE j.graph_id = $1
     ORDER BY node NULLS LAST LIMIT $2`,
    [id, limit],
  );
  return rows;
}

export interface GraphNode {
  /** Null for the task of a `linkError`. */
  node: number | null;
  /** Name of the task; `fork` or `join` for a junction. */
  name: string;
  /** Of the task; `open`, `done` or `skipped` for a junction. */
  state: string;
  /** Of the task; null for a junction. */
  id: string | null;
  next: number[];
}

/** All nodes in their order. */
export async function listNodes(db: Queryable, id: string, limit: number): Promise<GraphNode[]> {
  const { rows } = await db.query<GraphNode & Record<string, unknown>>(
    `SELECT node, name, status AS state, id, array_remove(ARRAY[next_node], NULL) AS next FROM ai.tasks WHERE graph_id = $1
     UNION ALL
     SELECT j.node, coalesce(t.name, CASE WHEN j.passes THEN 'fork' ELSE 'join' END), coalesce(t.status, j.state), j.follows, j.next_nodes
     FROM ai.graph_junctions j LEFT JOIN ai.tasks t ON t.id = j.follows WHERE j.graph_id = $1
     ORDER BY node NULLS LAST LIMIT $2`,
    [id, limit],
  );
  return rows;
}

/** A task that a graph cannot end before; undefined if none is left. */
export async function findOpenTask(db: Queryable, id: string): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `(SELECT id FROM ai.tasks WHERE graph_id = $1 AND finished_at IS NULL ORDER BY node DESC LIMIT 1)
     UNION ALL
     (SELECT t.id FROM ai.graph_junctions j JOIN ai.tasks t ON t.id = j.follows
      WHERE j.graph_id = $1 AND j.state = 'open' AND t.finished_at IS NULL LIMIT 1)`,
    [id],
  );
  return rows[0]?.id;
}

interface Junction {
  node: number;
  inputs: number[];
  names: string[] | null;
  passes: boolean;
  follows: string | null;
  state: 'open' | 'done' | 'skipped';
}

/**
 * The output of a node, as its successor takes it: null for what has not succeeded, or not yet.
 * @param isPartial whether to give the parts that have succeeded even of a list or object that failed as a whole. Default false.
 */
export async function findOutput(
  db: Queryable,
  id: string,
  node: number,
  isPartial = false,
): Promise<unknown> {
  const { rows } = await db.query<Junction & Record<string, unknown>>(
    'SELECT node, inputs, names, passes, follows, state FROM ai.graph_junctions WHERE graph_id = $1',
    [id],
  );
  const junctions = new Map(rows.map((junction) => [junction.node, junction]));
  const needed = new Set<number>();
  const pending = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (needed.has(next)) continue;
    needed.add(next);
    pending.push(...(junctions.get(next)?.inputs ?? []));
  }
  const results = await findResults(db, id, [...needed]);
  // Inputs have smaller numbers, so that theirs are known when a junction's is made.
  const outputs = new Map<number, unknown>();
  for (const each of [...needed].toSorted((a, b) => a - b)) {
    const junction = junctions.get(each);
    const hasResult = junction === undefined || junction.follows !== null;
    const isNull = junction?.state === 'skipped' && !isPartial;
    if (hasResult || isNull) outputs.set(each, results.get(each) ?? null);
    else outputs.set(each, combine(junction, outputs));
  }
  return outputs.get(node);
}

function combine({ inputs, names, passes }: Junction, outputs: Map<number, unknown>): unknown {
  const parts = inputs.map((input) => outputs.get(input) ?? null);
  if (passes) return parts[0] ?? null;
  if (names === null) return parts;
  return Object.fromEntries(names.map((name, index) => [name, parts[index]]));
}

async function findResults(
  db: Queryable,
  id: string,
  nodes: readonly number[],
): Promise<Map<number, unknown>> {
  const { rows } = await db.query<{ node: number; result: unknown }>(
    `SELECT node, result FROM ai.tasks WHERE graph_id = $1 AND node = ANY($2) AND status = 'done'
     UNION ALL
     SELECT j.node, t.result FROM ai.graph_junctions j JOIN ai.tasks t ON t.id = j.follows
     WHERE j.graph_id = $1 AND j.node = ANY($2) AND t.status = 'done'`,
    [id, nodes],
  );
  return new Map(rows.map(({ node, result }) => [node, result]));
}
