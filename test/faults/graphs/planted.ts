/** Bugs to plant into the functions that let graphs go on, in a database of their own. */
import { transaction, type Pool } from '../../../db/stores/postgres.ts';
import { endAndAdvance, readReleased, type ReleasedRow } from '../../../db/tasks/graphs/advance.ts';
import type { Chance } from './chance.ts';
import type { Means } from './played.ts';

interface Patch {
  /** A function in the schema `ai`. */
  name: string;
  /** What it says once. */
  from: string;
  to: string;
}

export interface Planted {
  title: string;
  /** SQL before the patches. */
  setup?: string;
  patches?: readonly Patch[];
  end?: (chance: Chance) => typeof endAndAdvance;
  /** What makes it show sooner. */
  always?: Means['always'];
}

const advance = (from: string, to: string): Patch => ({ name: 'advance', from, to });

const TASKS_BEFORE = `NOT EXISTS (SELECT FROM ai.tasks t
            WHERE t.graph_id = j.graph_id AND t.next_node = j.node AND t.finished_at IS NULL)`;
const JUNCTIONS_BEFORE = `NOT EXISTS (SELECT FROM ai.graph_junctions o
            WHERE o.graph_id = j.graph_id AND j.node = ANY (o.next_nodes) AND o.state = 'open')`;

export const PLANTED: readonly Planted[] = [
  {
    title: 'a junction counts down at every call',
    setup: 'ALTER TABLE ai.graph_junctions ADD COLUMN waits bigint',
    patches: [
      advance(
        'WITH wave AS',
        `UPDATE ai.graph_junctions j SET waits = coalesce(j.waits,
           (SELECT count(*) FROM ai.tasks t WHERE t.graph_id = j.graph_id AND t.next_node = j.node)
           + (SELECT count(*) FROM ai.graph_junctions o WHERE o.graph_id = j.graph_id AND j.node = ANY (o.next_nodes))) - w.times
         FROM (SELECT graph_id, node, count(*) AS times FROM unnest(graphs, nodes) AS w (graph_id, node) GROUP BY 1, 2) w
         WHERE j.graph_id = w.graph_id AND j.node = w.node;
         WITH wave AS`,
      ),
      advance(TASKS_BEFORE, 'j.waits <= 0'),
      advance(JUNCTIONS_BEFORE, 'true'),
    ],
  },
  {
    title: 'tasks are released in a transaction after the one that ends others',
    end:
      ({ isIn100 }) =>
      async (db, ids, end) => {
        const ended = await transaction(db, end);
        if (isIn100(5)) return { ended, released: [] };
        const { released } = await endAndAdvance(db, ids, async () => undefined);
        return { ended, released };
      },
  },
  {
    title: 'an end that is refused advances the graph',
    patches: [
      {
        name: 'advance_after',
        from: `array_agg(t.status <> 'done' AND t.on_error = 'fail')`,
        to: `array_agg(t.status IN ('error', 'revoked') AND t.on_error = 'fail')`,
      },
      { name: 'advance_after', from: 'AND t.finished_at IS NOT NULL', to: '' },
    ],
  },
  {
    title: 'graphs are not locked',
    end: () => (db, ids, end) =>
      transaction(db, async (tx) => {
        const ended = await end(tx);
        // The last two ends of a join are to meet.
        await tx.query('SELECT pg_sleep(0.01)');
        const { rows } = await tx.query<ReleasedRow>('SELECT * FROM ai.advance_after($1)', [ids]);
        return { ended, released: rows.map(readReleased) };
      }),
  },
  {
    title: 'what is skipped lets nothing after it be skipped',
    patches: [advance('FROM skipped WHERE next_node IS NOT NULL', 'FROM skipped WHERE false')],
  },
  {
    title: 'a junction waits for its first predecessor alone',
    patches: [
      advance(
        TASKS_BEFORE,
        TASKS_BEFORE.replace('t.next_node', 't.node = j.from_node AND t.next_node'),
      ),
      advance(
        JUNCTIONS_BEFORE,
        JUNCTIONS_BEFORE.replace('j.node = ANY', 'o.node = j.from_node AND j.node = ANY'),
      ),
    ],
  },
  {
    title: 'a junction waits for tasks, not for junctions',
    patches: [advance(JUNCTIONS_BEFORE, 'true')],
  },
  {
    title: 'the task of a link is stored for each failure',
    patches: [
      { name: 'fire_links', from: ' AND NOT l.fired', to: '' },
      { name: 'fire_links', from: 'SELECT r.id, r.name', to: 'SELECT gen_random_uuid(), r.name' },
    ],
  },
  {
    title: 'a check stores the task of a link for what was skipped',
    patches: [{ name: 'advance_all', from: `AND t.error_code <> 'TASK_SKIPPED'`, to: '' }],
    always: { isChecked: true },
  },
  {
    title: 'what was skipped stays skipped when a task is reopened',
    patches: [{ name: 'reopen_after', from: `t.error_code = 'TASK_SKIPPED'`, to: 'false' }],
  },
  {
    title: 'a junction stays skipped when a task is reopened',
    patches: [{ name: 'reopen_after', from: `j.state <> 'open'`, to: 'false' }],
  },
  {
    title: 'a graph of nothing but what it follows is not looked at',
    patches: [{ name: 'advance_all', from: 'UNION ALL SELECT NULL, false', to: '' }],
  },
  {
    title: 'a junction forgets which of its predecessors failed',
    patches: [advance(`THEN 'skipped' ELSE 'done' END`, `THEN 'done' ELSE 'done' END`)],
  },
  {
    title: 'a graph forgets a failure after which it went on',
    patches: [advance(`t.on_error = 'continue' OR`, 'false OR')],
  },
  {
    title: 'a revoked graph stores the task of a link when a worker comes late',
    patches: [{ name: 'fire_links', from: ' AND g.finished_at IS NULL', to: '' }],
    always: { revokes: 'all' },
  },
];

/** Replaces functions of the database. @throws if a text to replace is not there once. */
export async function plant(pool: Pool, { setup, patches = [] }: Planted): Promise<void> {
  if (setup !== undefined) await pool.query(setup);
  const sources = new Map<string, string>();
  for (const { name, from, to } of patches) {
    const source = sources.get(name) ?? (await sourceOf(pool, name));
    const [before, after, ...others] = source.split(from);
    if (after === undefined || others.length > 0) {
      throw new Error(`ai.${name} does not say once: ${from}`);
    }
    sources.set(name, `${before}${to}${after}`);
  }
  for (const source of sources.values()) await pool.query(source);
}

async function sourceOf(pool: Pool, name: string): Promise<string> {
  const { rows } = await pool.query<{ source: string }>(
    `SELECT pg_get_functiondef(oid) AS source FROM pg_proc WHERE pronamespace = 'ai'::regnamespace AND proname = $1`,
    [name],
  );
  return rows[0]!.source;
}
