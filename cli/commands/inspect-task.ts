/**
 * Everything about one task: what Postgres knows is the truth, what Redis knows is the moment.
 */
import { count } from '../../base/count.ts';
import { findDelay } from '../../db/tasks/attempts.ts';
import { findTask, type TaskRow } from '../../db/tasks/rows.ts';
import type { JobStatus } from '../../jobs/queue/index.ts';
import { idsOf, type Input } from '../command.ts';
import type { QueueStores } from '../stores.ts';
import { seconds, show } from '../table.ts';

/** Characters shown of a result. */
const RESULT_LENGTH = 500;

/** What Postgres says, or why it could not be asked. */
interface Durable {
  row: TaskRow | null;
  /** Until it may start; null when it may, or has ended. */
  delayMs: number | null;
  problem: string | null;
}

async function askPostgres({ db }: QueueStores, id: string): Promise<Durable> {
  try {
    const row = (await findTask(db(), id)) ?? null;
    const delayMs = row === null ? null : (await findDelay(db(), id)) || null;
    return { row, delayMs, problem: null };
  } catch (error) {
    return { row: null, delayMs: null, problem: (error as Error).message };
  }
}

/** @returns 1 when neither knows it. */
export async function showTask(stores: QueueStores, input: Input): Promise<number> {
  const [id = ''] = idsOf(input);
  const job = await stores.inspector.status(id);
  const durable = await askPostgres(stores, id);
  const isUnknown = job.state === 'unknown' && durable.row === null;
  show(input.has('json'), { id, job, ...durable }, () => {
    if (!isUnknown) return linesOf(job, durable);
    const { problem } = durable;
    return [
      problem === null
        ? 'There is no such task.'
        : `Redis knows no such task; Postgres was not asked: ${problem}`,
    ];
  });
  return isUnknown ? 1 : 0;
}

function linesOf(job: JobStatus, { row, delayMs, problem }: Durable): string[] {
  const { about, counts, reason, state } = job;
  const isDone = row === null ? state === 'succeeded' : row.status === 'done';
  const facts: [name: string, text: string | null | undefined][] = [
    ['task', row?.name ?? about?.task ?? '?'],
    ['queue', row?.queue ?? about?.queue ?? '?'],
    ['in Redis', reason === undefined ? state : `${state}, ${sayError(reason)}`],
    ['in Postgres', row === null ? sayNoRow(problem) : sayRow(row)],
    [
      'charged',
      `${count(row?.attempts ?? counts.attempts, 'attempt')}, ${count(counts.deaths, 'death')}`,
    ],
    ['created', time(row?.created_at ?? about?.createdAtMs)],
    ['started', time(row?.started_at)],
    ['next start', delayMs === null ? null : `in ${seconds(delayMs)}`],
    ['finished', time(row?.finished_at ?? job.finishedAtMs)],
    ['progress', row?.finished_at == null ? job.progress : null],
    ['result', isDone ? shorten(row === null ? job.result : JSON.stringify(row.result)) : null],
  ];
  return facts.flatMap(([name, text]) => (text == null ? [] : [`${name.padEnd(11)}  ${text}`]));
}

function sayError({ code, message }: { code: string; message?: string | null | undefined }) {
  return `${code}: ${message ?? ''}`;
}

function sayRow({ status, error_code: code, error_message: message }: TaskRow): string {
  return code === null ? status : `${status}, ${sayError({ code, message })}`;
}

function sayNoRow(problem: string | null): string {
  return problem === null ? 'no row' : `not asked: ${problem}`;
}

function time(at: Date | number | null | undefined): string | null {
  return at == null ? null : new Date(at).toISOString();
}

function shorten(text = ''): string {
  return text.length > RESULT_LENGTH ? `${text.slice(0, RESULT_LENGTH)}…` : text;
}
