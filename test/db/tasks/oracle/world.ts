/** What happens to tasks in a random history. */
import type { Pool, Row } from '../../../../db/stores/postgres.ts';
import { startTask } from '../../../../db/tasks/attempts.ts';
import { revokeTasks } from '../../../../db/tasks/ends.ts';
import { releaseTrailing } from '../../../../db/tasks/reconciliation.ts';
import type { AcceptRequest } from '../../../../db/tasks/request.ts';
import { reopenTask } from '../../../../db/tasks/requeue.ts';
import { failTask, succeedTask } from '../../../support/tasks.ts';

export type Asked = Omit<AcceptRequest, 'id'> & { chosen: number | undefined };
/** Tasks of which status each may happen to. */
const ACTS = {
  start: ['queued', 'running'],
  succeed: ['running'],
  fail: ['running'],
  revoke: ['queued', 'running'],
  reopen: ['error', 'revoked'],
} as const;
export type Act = { what: keyof typeof ACTS; nth: number };
export type Command =
  | { ask: Asked[]; apart: boolean }
  | Act
  | { what: 'pass'; minutes: number }
  | { what: 'release' };

/** A history in one of the databases. */
export class World {
  readonly #pool: Pool;
  readonly #accept: (requests: readonly AcceptRequest[], isApart: boolean) => Promise<unknown[]>;

  constructor(
    pool: Pool,
    accept: (requests: readonly AcceptRequest[], isApart: boolean) => Promise<unknown[]>,
  ) {
    this.#pool = pool;
    this.#accept = accept;
  }

  async run(step: Command, ids: readonly string[], requests: AcceptRequest[]): Promise<unknown> {
    if ('ask' in step) return this.#accept(requests, step.apart);
    if (step.what === 'pass') return this.#pass(step.minutes, ids);
    if (step.what === 'release') return releaseTrailing(this.#pool);
    return this.#act(step, ids);
  }

  async #act({ what, nth }: Act, ids: readonly string[]): Promise<unknown> {
    const pool = this.#pool;
    const { rows } = await pool.query<{ id: string; epoch: string }>(
      'SELECT id, epoch FROM ai.tasks WHERE id = ANY($1) AND status = ANY($2) AND dedupe_key IS NOT NULL ORDER BY id',
      [ids, ACTS[what]],
    );
    const fence = rows[nth % rows.length];
    if (fence === undefined) return undefined;
    const { id } = fence;
    if (what === 'start') return (await startTask(pool, id, 0))?.epoch;
    if (what === 'revoke') return revokeTasks(pool, [id]);
    if (what === 'reopen') return reopenTask(pool, id, 0);
    if (what === 'succeed') return succeedTask(pool, fence, 'null');
    return failTask(pool, fence, { code: 'TASK_FAILED', message: 'no' });
  }

  async #pass(minutes: number, ids: readonly string[]): Promise<void> {
    const earlier = (column: string) => `${column} = ${column} - $2 * interval '1 minute'`;
    const columns =
      'created_at requested_at started_at finished_at run_at expires_at check_at'.split(' ');
    await this.#pool.query(
      `UPDATE ai.tasks SET ${columns.map(earlier).join()} WHERE id = ANY($1)`,
      [ids, minutes],
    );
    await this.#pool.query(
      `UPDATE ai.idempotency_keys SET ${earlier('created_at')} WHERE task_id = ANY($1)`,
      [ids, minutes],
    );
  }

  /** The rows, with their times in whole minutes from now. */
  async rows(ids: readonly string[]): Promise<Row[]> {
    const from = (column: string) =>
      `round(extract(epoch FROM ${column}) / 60 - extract(epoch FROM now()) / 60)::text AS ${column}`;
    const columns =
      'created_at requested_at started_at finished_at run_at expires_at check_at'.split(' ');
    const tasks = await this.#pool.query<Row>(
      `SELECT id, name, queue, status, user_id, subject, payload::text, options::text, priority, dedupe_key, input_hash,
         attempts, epoch, trails, ${columns.map(from).join()}
       FROM ai.tasks WHERE id = ANY($1) ORDER BY id`,
      [ids],
    );
    const keys = await this.#pool.query<Row>(
      `SELECT user_id, key, task_id, name, payload, ${from('created_at')}
       FROM ai.idempotency_keys WHERE task_id = ANY($1) ORDER BY user_id, key`,
      [ids],
    );
    return [...tasks.rows, ...keys.rows];
  }
}
