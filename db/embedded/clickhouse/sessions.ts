/**
 * Runs statements on the in-process engine, a few at a time, each alone in a session.
 *
 * A parameter, once set, cannot be unset. So a session is used again only for a statement that overwrites everything
 * the ones before it have set; else a new one is opened, which costs 0.13 ms. After an error it is closed, because
 * chdb 3.4.0 would put the failed query's partial output in front of the session's next result.
 * (A new session for every statement would be simpler, but chdb ends none while any query runs: beside a slow query
 * 900 small ones held 230 MB.)
 */
import type { Session } from 'chdb';
import { Refusal } from './errors.ts';
import type { Statement } from './request.ts';

export interface Outcome {
  bytes: Uint8Array;
  /** Rows read by a query, or written by an insert. */
  rows: number;
  rowsBytes: number;
  elapsedSeconds: number;
}

export interface Sessions {
  /** Version of the engine. */
  version: string;
  /** @throws what the engine says of a statement that failed; a Refusal when too many are waiting. */
  run(statement: Statement): Promise<Outcome>;
  /** Waits for the statements under way, then lets go of the data folder. */
  close(): Promise<void>;
}

/** Statements that run at a time: a query occupies one of the 8 threads of libuv's pool. */
const MAX_RUNNING = 4;

const MAX_WAITING = 256;

/**
 * Opens the data folder.
 * @throws {Error} when another process has the folder; one that names CLICKHOUSE_URL when `chdb`, an optional package,
 *   is not installed.
 */
export async function openSessions(folder: string): Promise<Sessions> {
  const { Session, drainPending } = await loadEngine();
  // The engine shuts down with its last session: this one keeps it, and the folder, open.
  const anchor = openAnchor(() => new Session(folder), folder);
  const slots = createSlots();
  const idle: { session: Session; assigned: Set<string> }[] = [];

  function takeSession(assigned: Set<string>): Session {
    const fit = idle.findIndex((kept) => [...kept.assigned].every((name) => assigned.has(name)));
    if (fit !== -1) return idle.splice(fit, 1)[0]!.session;
    return new Session(folder);
  }

  function keepSession(session: Session, assigned: Set<string>): void {
    if (idle.length === MAX_RUNNING) idle.shift()!.session.close();
    idle.push({ session, assigned });
  }

  async function runAlone(statement: Statement): Promise<Outcome> {
    const assigned = assignedNames(statement);
    const session = takeSession(assigned);
    let reusable = false;
    try {
      for (const sql of preparations(statement)) await session.queryAsync(sql);
      const result = await session.queryAsync(statement.sql, { format: statement.format });
      reusable = leavesNoState(statement);
      return {
        bytes: result.bytes(),
        rows: result.rowsRead,
        rowsBytes: result.bytesRead,
        elapsedSeconds: result.elapsed,
      };
    } finally {
      if (reusable) keepSession(session, assigned);
      else session.close();
    }
  }

  return {
    version: anchor.query('SELECT version()', 'TabSeparated').trim(),
    async run(statement) {
      await slots.take();
      try {
        return await runAlone(statement);
      } finally {
        slots.free();
      }
    },
    async close() {
      await drainPending();
      for (const { session } of idle) session.close();
      anchor.close();
    },
  };
}

function openAnchor<S>(open: () => S, folder: string): S {
  try {
    return open();
  } catch (error) {
    throw new Error(
      `The ClickHouse engine could not open ${folder}: another one may be using it.`,
      { cause: error },
    );
  }
}

async function loadEngine(): Promise<typeof import('chdb')> {
  try {
    return await import('chdb');
  } catch (error) {
    throw new Error(
      'The embedded ClickHouse needs the optional package chdb, which is not installed or does not run on this ' +
        'platform. Install it with npm install --include=optional, or set CLICKHOUSE_URL.',
      { cause: error },
    );
  }
}

/** What the preparations of a statement set, and the next one in its session must set again. */
function assignedNames({ database, settings, parameters }: Statement): Set<string> {
  const names = [...settings.keys(), ...[...parameters.keys()].map((name) => `param_${name}`)];
  return new Set(database === undefined ? names : ['database', ...names]);
}

/** Whether a session is as before but for what was assigned. `readonly` could not be assigned again. */
function leavesNoState({ sql, settings }: Statement): boolean {
  return /^\s*(?:select|insert|with)\b/i.test(sql) && !settings.has('readonly');
}

/** Statements that give a session the database, settings and parameters of a request. */
function preparations({ database, settings, parameters }: Statement): string[] {
  const assignments = [
    ...[...settings].map(([name, value]) => `${identifier(name)} = ${literal(value)}`),
    ...[...parameters].map(([name, value]) => `${identifier(`param_${name}`)} = ${literal(value)}`),
  ];
  const set = `SET ${assignments.join(', ')}`;
  return database === undefined ? [set] : [`USE ${quote(database, '`')}`, set];
}

function identifier(name: string): string {
  if (!/^\w+$/.test(name)) throw new Refusal('SYNTAX_ERROR', 'A setting has an unusable name.');
  return name;
}

function literal(value: string): string {
  return quote(value, "'");
}

function quote(text: string, mark: "'" | '`'): string {
  return mark + text.replaceAll('\\', '\\\\').replaceAll(mark, `\\${mark}`) + mark;
}

/** A counting lock: `take` waits in line for one of the slots. */
function createSlots() {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async take(): Promise<void> {
      if (running < MAX_RUNNING) {
        running++;
        return;
      }
      if (waiting.length >= MAX_WAITING) {
        throw new Refusal('TOO_MANY_SIMULTANEOUS_QUERIES', 'Too many queries are waiting.');
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    free(): void {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    },
  };
}
