/**
 * What the database itself writes down of what is done to it: triggers the application knows nothing of.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { TestDatabase } from '../../support/stores/postgres.ts';

/** One write that was committed, in the order of the locks it took. */
export interface AuditRow {
  n: number;
  table: 'tasks' | 'task_steps' | 'practice_feedback' | 'llm_calls';
  op: 'INSERT' | 'UPDATE' | 'DELETE';
  taskId: string;
  epoch: number | null;
  status: string | null;
  attempts: number | null;
  step: string | null;
  version: number | null;
}

const TABLES = ['tasks', 'task_steps', 'practice_feedback', 'llm_calls'];

const INSTALL = `
  CREATE SCHEMA audit;
  CREATE TABLE audit.log (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    "table" text NOT NULL,
    op text NOT NULL,
    row jsonb NOT NULL
  );
  CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    changed jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
  BEGIN
    INSERT INTO audit.log ("table", op, row) VALUES (TG_TABLE_NAME, TG_OP, changed);
    IF TG_TABLE_NAME = 'tasks' THEN
      PERFORM pg_notify('audit', (changed ->> 'id') || ' ' || (changed ->> 'status'));
    END IF;
    RETURN NULL;
  END $$;
  ${TABLES.map(
    (table) => `CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON ai.${table}
      FOR EACH ROW EXECUTE FUNCTION audit.note();`,
  ).join('\n')}`;

export interface Audit {
  /** Resolves once a task is in a terminal state. */
  ended(taskId: string): Promise<string>;
  /** What was written of some tasks, the oldest first. */
  rows(taskIds: readonly string[]): Promise<AuditRow[]>;
  close(): Promise<void>;
}

const TERMINAL = new Set(['done', 'error', 'revoked']);

/** Pause before the database is tried again, in milliseconds. */
const AGAIN_MS = 50;

export async function installAudit({ url, pool }: TestDatabase): Promise<Audit> {
  await pool.query(INSTALL);
  const ends = new Ends();
  let client: pg.Client;
  let isClosed = false;

  async function listen(): Promise<void> {
    client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    client.on('notification', ({ payload = '' }) => ends.hear(payload));
    await client.connect();
    await client.query('LISTEN audit');
    client.once('end', () => void listenAgain());
  }

  /** After the database was killed; what ended meanwhile is in the log. */
  async function listenAgain(): Promise<void> {
    while (!isClosed) {
      try {
        await listen();
        const { rows } = await client.query<{ text: string }>(
          `SELECT concat(row ->> 'id', ' ', row ->> 'status') AS text FROM audit.log WHERE "table" = 'tasks'`,
        );
        for (const { text } of rows) ends.hear(text);
        return;
      } catch {
        await sleep(AGAIN_MS);
      }
    }
  }

  await listen();
  return {
    ended: (taskId) => ends.of(taskId),
    async rows(taskIds) {
      const { rows } = await pool.query<AuditRow>(
        `SELECT n::int, "table", op, coalesce(row ->> 'task_id', row ->> 'id') AS "taskId",
           (row ->> 'epoch')::int AS epoch, row ->> 'status' AS status, (row ->> 'attempts')::int AS attempts,
           row ->> 'step' AS step, (row ->> 'version')::int AS version
         FROM audit.log WHERE coalesce(row ->> 'task_id', row ->> 'id') = ANY ($1) ORDER BY n`,
        [taskIds],
      );
      return rows;
    },
    async close() {
      isClosed = true;
      await client.end();
    },
  };
}

/** Terminal states that were heard of, and who waits for them. */
class Ends {
  readonly #known = new Map<string, string>();
  readonly #waiting = new Map<string, ((status: string) => void)[]>();

  /** @param text a task's id and its status. */
  hear(text: string): void {
    const [id = '', status = ''] = text.split(' ');
    if (!TERMINAL.has(status)) return;
    this.#known.set(id, status);
    for (const resolve of this.#waiting.get(id) ?? []) resolve(status);
    this.#waiting.delete(id);
  }

  of(id: string): Promise<string> {
    const status = this.#known.get(id);
    if (status !== undefined) return Promise.resolve(status);
    return new Promise((resolve) => {
      this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), resolve]);
    });
  }
}
