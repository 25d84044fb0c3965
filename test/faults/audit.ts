/**
 * What the database itself writes down of what is done to it: triggers the application knows nothing of.
 */
import pg from 'pg';
import type { TestDatabase } from '../support/postgres.ts';

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

export async function installAudit({ url, pool }: TestDatabase): Promise<Audit> {
  await pool.query(INSTALL);
  const client = new pg.Client({ connectionString: url });
  const ends = new Map<string, string>();
  const waiting = new Map<string, ((status: string) => void)[]>();
  client.on('notification', ({ payload = '' }) => {
    const [id = '', status = ''] = payload.split(' ');
    if (!TERMINAL.has(status)) return;
    ends.set(id, status);
    for (const resolve of waiting.get(id) ?? []) resolve(status);
    waiting.delete(id);
  });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('LISTEN audit');
  return {
    ended(taskId) {
      const status = ends.get(taskId);
      if (status !== undefined) return Promise.resolve(status);
      return new Promise((resolve) => {
        waiting.set(taskId, [...(waiting.get(taskId) ?? []), resolve]);
      });
    },
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
    close: () => client.end(),
  };
}
