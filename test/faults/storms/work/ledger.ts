/**
 * What happened to the jobs of a storm, from logs the application does not keep: the file its tasks write, the effects they leave,
 * a trigger that notes every end, and the producer's own list of what was accepted.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Pool } from '../../../../db/stores/postgres.ts';
import type { Storm } from '../../../support/threads/storm-tasks.ts';

export interface Line {
  what: string;
  id: string;
  attempt: number;
  delivery: number;
  pid: number;
  atMs: number;
}

export type Asked = Pick<Storm, 'failures' | 'ends'>;

/** Deaths of its process after which the application gives a job up, whoever killed it. */
const MAX_DEATHS = 3;

/** For a new database, before anything is accepted. */
export async function installLedger(db: Pool): Promise<void> {
  await db.query(`
    CREATE TABLE storm_effects (task_id uuid NOT NULL, delivery integer NOT NULL);
    CREATE TABLE storm_ends (task_id uuid NOT NULL, status text NOT NULL);
    CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO storm_ends VALUES (NEW.id, NEW.status);
      RETURN NULL;
    END $$;
    CREATE TRIGGER note_end AFTER UPDATE ON ai.tasks FOR EACH ROW
      WHEN (OLD.finished_at IS NOT NULL OR NEW.finished_at IS NOT NULL) EXECUTE FUNCTION note_end();`);
}

/** What was read of each file so far: it only grows, and is looked at often. */
const known = new Map<string, { bytes: number; lines: Line[] }>();

/** Every whole line of the file, the oldest first. */
export function readLines(file: string): readonly Line[] {
  const read = known.get(file) ?? { bytes: 0, lines: [] };
  known.set(file, read);
  const more = readFileFrom(file, read.bytes);
  const whole = more.subarray(0, more.lastIndexOf('\n') + 1);
  read.bytes += whole.length;
  for (const line of whole.toString().split('\n').slice(0, -1)) read.lines.push(parse(line));
  return read.lines;
}

function readFileFrom(file: string, position: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(descriptor).size - position));
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, position));
  } finally {
    closeSync(descriptor);
  }
}

function parse(line: string): Line {
  const [what = '', id = '', ...numbers] = line.split(' ');
  const [attempt = 0, delivery = 0, pid = 0, atMs = 0] = numbers.map(Number);
  return { what, id, attempt, delivery, pid, atMs };
}

/** Codes of tasks that were given up, and of those that waited for one. */
const GIVEN_UP = new Set(['WORKER_DIED', 'TASK_SKIPPED']);

interface Row {
  id: string;
  status: string;
  code: string | null;
  attempts: number;
  ends: number;
  effects: number;
  /** The start whose thought was kept. */
  thought: number | null;
}

/**
 * Jobs that may be given up: so many of these processes were killed while they ran them alone, or were about to.
 */
export function struckOut(file: string, killed: ReadonlySet<number>): Set<string> {
  const strikes = new Map<string, Set<number>>();
  for (const { what, id, pid } of readLines(file)) {
    const pids = strikes.get(id) ?? new Set();
    strikes.set(id, pids);
    if (what === 'marked' && killed.has(pid)) pids.add(pid);
    if (what === 'ended') pids.delete(pid);
  }
  return new Set([...strikes].flatMap(([id, pids]) => (pids.size < MAX_DEATHS ? [] : [id])));
}

/**
 * Every way in which a durable task was not done as was promised.
 * @param excused jobs that may have been given up, see `struckOut`. Default: none.
 */
export async function violationsOf(
  db: Pool,
  file: string,
  accepted: ReadonlyMap<string, Asked>,
  excused: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const { rows } = await db.query<Row>(
    `SELECT t.id, t.status, t.error_code AS code, t.attempts,
       (SELECT count(*)::int FROM storm_ends e WHERE e.task_id = t.id) AS ends,
       (SELECT count(*)::int FROM storm_effects e WHERE e.task_id = t.id) AS effects,
       (SELECT (output #>> '{}')::int FROM ai.task_steps s WHERE s.task_id = t.id AND s.step = 'think') AS thought
     FROM ai.tasks t`,
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  const lines = new Map<string, Line[]>();
  for (const line of readLines(file)) {
    const ofJob = lines.get(line.id);
    if (ofJob === undefined) lines.set(line.id, [line]);
    else ofJob.push(line);
  }
  return Array.from(accepted, ([id, asked]) => {
    const row = found.get(id);
    if (GIVEN_UP.has(row?.code ?? '') && excused.has(id)) return [];
    const problems = row === undefined ? ['lost'] : problemsOf(row, asked, lines.get(id) ?? []);
    return problems.map((problem) => `${id}: ${problem}`);
  }).flat();
}

function problemsOf(row: Row, { failures, ends }: Asked, lines: readonly Line[]): string[] {
  const problems: string[] = [];
  const isPoison = ends !== '';
  const must = (name: string, is: unknown, expected: unknown): void => {
    if (is !== expected) problems.push(`${name} ${String(is)}, not ${String(expected)}`);
  };
  must('status', row.status, isPoison ? 'error' : 'done');
  must('code', row.code, isPoison ? 'WORKER_DIED' : null);
  must('attempts', row.attempts, isPoison ? 0 : failures + 1);
  must('ends', row.ends, 1);
  must('effects', row.effects, isPoison ? 0 : 1);
  const late = lines.filter(
    ({ what, delivery }) => what === 'thought' && row.thought !== null && delivery > row.thought,
  );
  if (late.length > 0) problems.push(`thought ${late.length} times after a thought was kept`);
  const begun = lines.filter(({ what }) => what === 'begun');
  const again = begun.length - new Set(begun.map(({ delivery }) => delivery)).size;
  if (again > 0) problems.push(`${again} starts under an epoch of another`);
  // Once beside others, where nobody is to blame, and three times alone.
  if (isPoison && begun.length < MAX_DEATHS)
    problems.push(`a dead letter after ${begun.length} starts`);
  return problems;
}
