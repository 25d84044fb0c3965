/**
 * Runs statements on the in-process engine, a few at a time, each alone in a session.
 *
 * A parameter, once set, cannot be unset. So a session is reused only for a statement that overwrites every earlier
 * assignment; otherwise a new one is opened, which costs 0.13 ms. A session closes after an error, because chdb 3.4.0
 * would prepend the failed query's partial output to its next result. (One session per statement would be simpler, but
 * chdb ends none while any query runs: beside a slow query, 900 small ones held 230 MB.)
 */
import type { Session } from 'chdb';
import { Refusal } from './errors.ts';
import type { Statement } from './request.ts';

export interface Sessions {
  version: string;
  /** @throws the engine's error, or a Refusal if too many statements wait. */
  run(statement: Statement): Promise<Uint8Array>;
  /** Waits for the running statements, then releases the data folder. */
  close(): Promise<void>;
}

/** Each running statement occupies one of the 8 threads of libuv's pool. */
const MAX_RUNNING = 4;

const MAX_WAITING = 256;

/** @throws {Error} if another process uses the folder; one that names CLICKHOUSE_URL if `chdb` is not installed. */
export async function openSessions(folder: string): Promise<Sessions> {
  const { Session, drainPending } = await loadEngine();
  // The engine shuts down with its last session; this one keeps it and the folder open.
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

  async function runAlone(statement: Statement): Promise<Uint8Array> {
    const assigned = assignedNames(statement);
    const session = takeSession(assigned);
    let reusable = false;
    try {
      await session.queryAsync(assignment(statement));
      const result = await session.queryAsync(statement.sql, { format: 'TabSeparated' });
      reusable = leavesNoState(statement);
      return result.bytes();
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

function assignedNames({ settings, parameters }: Statement): Set<string> {
  return new Set([...settings.keys(), ...[...parameters.keys()].map((name) => `param_${name}`)]);
}

/** Whether only the assignments remain in the session. A session that is `readonly` takes no further ones. */
function leavesNoState({ sql, settings }: Statement): boolean {
  return /^\s*(?:select|insert|with)\b/i.test(sql) && !settings.has('readonly');
}

function assignment({ settings, parameters }: Statement): string {
  const assignments = [
    ...settings,
    ...[...parameters].map(([name, value]) => [`param_${name}`, value] as const),
  ].map(([name, value]) => `${identifier(name)} = ${literal(value)}`);
  return `SET ${assignments.join(', ')}`;
}

function identifier(name: string): string {
  if (!/^\w+$/.test(name)) throw new Refusal('SYNTAX_ERROR', 'A setting has an unusable name.');
  return name;
}

function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

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
