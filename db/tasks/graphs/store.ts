/** Stores graphs. */
import { AppError } from '../../../base/errors.ts';
import type { Queryable } from '../../stores/postgres.ts';
import { acceptTask, toRow } from '../accept.ts';
import type { AcceptRequest } from '../request.ts';
import { advanceAll } from './advance.ts';
import type {
  AcceptedGraph,
  GraphJunction,
  GraphRequest,
  GraphTask,
  ReleasedTask,
} from './request.ts';

/** Tasks per statement. */
const PAGE = 1000;

/**
 * Stores a graph with all of its tasks, or finds the one that answers the request.
 * @param tx a transaction. After an error, the caller must roll back.
 * @returns also the tasks to dispatch.
 * @throws {AppError} `TASK_ID_TAKEN` or `IDEMPOTENCY_KEY_REUSED` when an id or the key belongs to a different request; `QUOTA_EXCEEDED` when a task would be one too many.
 */
export async function acceptGraph(
  tx: Queryable,
  graph: GraphRequest,
): Promise<AcceptedGraph & { released: ReleasedTask[] }> {
  const { rowCount } = await tx.query(
    `INSERT INTO ai.graphs (id, user_id, digest, dedupe_key, output, size, expires_at, check_at)
     VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond',
       now() + least($7 * interval '1 millisecond', interval '1 minute')) ON CONFLICT DO NOTHING`,
    [
      graph.id,
      graph.userId,
      graph.digest,
      graph.dedupeKey,
      graph.output,
      graph.tasks.length,
      graph.expiresMs,
    ],
  );
  if (rowCount !== 1) return findSame(tx, graph);
  const isKeyed = ({ waits, request }: GraphTask): boolean =>
    !waits && (request.dedupeKey ?? request.quota) !== undefined;
  const released = await storeTasks(
    tx,
    graph,
    graph.tasks.filter((task) => !isKeyed(task)),
  );
  await storeJunctions(tx, graph.id, graph.junctions);
  await storeLinks(tx, graph);
  // Concurrent requests for the same work share this order, so that they do not deadlock.
  const keyed = graph.tasks.filter(isKeyed).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (const task of keyed) released.push(...(await storeKeyed(tx, graph.id, task)));
  const mayGoOn = keyed.length > 0 || graph.junctions.some(({ node, from }) => node === from);
  if (mayGoOn) released.push(...(await advanceAll(tx, graph.id)));
  return { id: graph.id, outcome: 'created', released };
}

const keyOf = ({ request }: GraphTask): string => request.dedupeKey ?? '';

async function findSame(tx: Queryable, graph: GraphRequest): ReturnType<typeof acceptGraph> {
  const { rows } = await tx.query<{ id: string; digest: string }>(
    `SELECT id, digest FROM ai.graphs WHERE id = $1 OR (dedupe_key = $2 AND finished_at IS NULL) ORDER BY id = $1 DESC LIMIT 1`,
    [graph.id, graph.dedupeKey],
  );
  const [same] = rows;
  if (same?.id === graph.id) {
    if (same.digest !== graph.digest) {
      throw new AppError(graph.isKeyed ? 'IDEMPOTENCY_KEY_REUSED' : 'TASK_ID_TAKEN');
    }
    return { id: same.id, outcome: 'repeated', released: [] };
  }
  // The unfinished one has ended meanwhile.
  if (same === undefined) return acceptGraph(tx, graph);
  return { id: same.id, outcome: 'unfinished', released: [] };
}

/** Waiting tasks are not looked at before they are released. The delays of others begin now. */
const STORE = `INSERT INTO ai.tasks AS t (id, name, queue, priority, payload, user_id, subject, options, run_at, expires_at, check_at,
    status, graph_id, node, next_node, previous_node, on_error)
  SELECT r.id, r.name, r.queue, r.priority, r.payload::json, r.user_id, r.subject,
    CASE WHEN r.waits THEN (r.options::jsonb || jsonb_strip_nulls(jsonb_build_object(
      'delayMs', r.delay_ms, 'expiresMs', r.expires_ms)))::json ELSE r.options END,
    CASE WHEN NOT r.waits THEN coalesce(r.eta, now() + r.delay_ms * interval '1 millisecond') ELSE r.eta END,
    CASE WHEN NOT r.waits THEN now() + r.expires_ms * interval '1 millisecond' END,
    CASE WHEN r.waits THEN 'infinity' ELSE now() + interval '2 seconds' END,
    CASE WHEN r.waits THEN 'waiting' ELSE 'queued' END, $1, r.node, r.next, r.previous, r.on_error
  FROM json_to_recordset($2) AS r (id uuid, name text, queue text, priority smallint, payload text, user_id text, subject text,
    options json, eta timestamptz, delay_ms float8, expires_ms float8,
    node integer, next integer, previous integer, on_error text, waits boolean)
  ON CONFLICT (id) DO NOTHING
  RETURNING t.id, ai.delay_ms(t.run_at) AS delay_ms`;

async function storeTasks(tx: Queryable, graph: GraphRequest, tasks: readonly GraphTask[]) {
  // Only chosen ids can be those of another request: two with the same ones share an order, so that they do not deadlock.
  const chosen = tasks.filter(({ request }) => request.isChosenId === true);
  const others = tasks.filter(({ request }) => request.isChosenId !== true);
  const ordered = [...chosen.toSorted((a, b) => (a.request.id < b.request.id ? -1 : 1)), ...others];
  const pages = Array.from({ length: Math.ceil(ordered.length / PAGE) }, (_, index) =>
    storePage(tx, graph.id, ordered.slice(index * PAGE, (index + 1) * PAGE)),
  );
  return (await Promise.all(pages)).flat();
}

async function storePage(tx: Queryable, graph: string, page: readonly GraphTask[]) {
  const members = page.map(toMember);
  const { rows } = await tx.query<{ id: string; delay_ms: number }>(STORE, [
    graph,
    JSON.stringify(members),
  ]);
  if (rows.length < page.length) throw new AppError('TASK_ID_TAKEN');
  const delays = new Map(rows.map((row) => [row.id, row.delay_ms]));
  return page.flatMap(({ waits, request }) =>
    waits ? [] : [toReleased(request, delays.get(request.id)!)],
  );
}

/** The columns that `STORE` reads. */
function toMember({ request, node, next, previous, onError, waits }: GraphTask) {
  const { id, name, queue, priority, payload, subject, eta, headers } = request;
  return {
    id,
    name,
    queue,
    priority,
    payload,
    user_id: request.userId,
    subject,
    options: { headers },
    eta,
    delay_ms: request.delayMs,
    expires_ms: request.expiresMs,
    node,
    next,
    previous,
    on_error: onError,
    waits,
  };
}

function toReleased(request: AcceptRequest, delayMs: number): ReleasedTask {
  const { id, name, queue, priority, payload, headers, expiresMs } = request;
  return { id, name, queue, priority, payload, headers, delayMs, expiresMs };
}

/** If a task of another request does the work, the graph follows it. */
async function storeKeyed(tx: Queryable, graph: string, task: GraphTask) {
  const { node, next, onError, request } = task;
  const accepted = await acceptTask(tx, request);
  if (accepted.outcome === 'created') {
    await tx.query(
      'UPDATE ai.tasks SET graph_id = $2, node = $3, next_node = $4, on_error = $5 WHERE id = $1',
      [accepted.id, graph, node, next, onError],
    );
    return [toReleased(request, accepted.delayMs ?? 0)];
  }
  await tx.query(
    `INSERT INTO ai.graph_junctions (graph_id, node, from_node, next_nodes, inputs, passes, on_error, follows)
     VALUES ($1, $2, $2, $3, '{}', true, $4, $5)`,
    [graph, node, next === undefined ? [] : [next], onError, accepted.id],
  );
  return [];
}

async function storeJunctions(
  tx: Queryable,
  graph: string,
  junctions: readonly GraphJunction[],
): Promise<void> {
  if (junctions.length === 0) return;
  await tx.query(
    `INSERT INTO ai.graph_junctions (graph_id, node, from_node, next_nodes, inputs, names, passes, on_error)
     SELECT $1, j.node, j."from", j.next, j.inputs, j.names, j.passes, j."onError"
     FROM json_to_recordset($2)
       AS j (node integer, "from" integer, next integer[], inputs integer[], names text[], passes boolean, "onError" text)`,
    [graph, JSON.stringify(junctions)],
  );
}

async function storeLinks(tx: Queryable, { id, links }: GraphRequest): Promise<void> {
  if (links.length === 0) return;
  await tx.query(
    `INSERT INTO ai.graph_links (graph_id, first_node, last_node, request)
     SELECT $1, l.first, l.last, l.request FROM json_to_recordset($2) AS l (first integer, last integer, request json)`,
    [id, JSON.stringify(links.map((link) => ({ ...link, request: toRow(link.request, 0) })))],
  );
}
