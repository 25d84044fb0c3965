/** Shows everything about one task: the authoritative row in Postgres and the current state in Redis. */
import { count } from '../../base/count.ts';
import { findRetries, type RetryReason } from '../../db/tasks/attempts.ts';
import type { TaskRow } from '../../db/tasks/rows.ts';
import { describeTask } from '../../jobs/framework/calls/result.ts';
import type { JobStatus } from '../../jobs/queue/index.ts';
import { idsOf, type Input } from '../command.ts';
import type { QueueStores } from '../stores.ts';
import { seconds, show } from '../table.ts';

/** Maximum characters of a result to show. */
const RESULT_LENGTH = 500;

/** @returns 1 if neither store knows the task. */
export async function showTask(stores: QueueStores, input: Input): Promise<number> {
  const [id = ''] = idsOf(input);
  const { row: found, job } = await describeTask(stores, id);
  if (job.status === 'rejected') throw job.reason;
  const row = found.status === 'fulfilled' ? (found.value ?? null) : null;
  const problem = found.status === 'rejected' ? (found.reason as Error).message : null;
  const retries = row === null ? [] : await findRetries(stores.db(), id);
  const isUnknown = job.value.state === 'unknown' && row === null;
  show(input.has('json'), { id, job: job.value, row, retries, problem }, () => {
    if (!isUnknown) return [...linesOf(job.value, row, problem), ...retries.map(sayRetry)];
    return [
      problem === null
        ? 'There is no such task.'
        : `Redis does not know this task; Postgres could not be read: ${problem}`,
    ];
  });
  return isUnknown ? 1 : 0;
}

function linesOf(job: JobStatus, row: TaskRow | null, problem: string | null): string[] {
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
    ['next start', row?.delay_ms ? `in ${seconds(row.delay_ms)}` : null],
    ['finished', time(row?.finished_at ?? job.finishedAtMs)],
    ['progress', row?.finished_at == null ? job.progress : null],
    ['result', isDone ? shorten(row === null ? job.result : JSON.stringify(row.result)) : null],
  ];
  return facts.flatMap(([name, text]) => (text == null ? [] : [`${name.padEnd(11)}  ${text}`]));
}

function sayRetry({ at, attempt, code, message }: RetryReason): string {
  return `${'retried'.padEnd(11)}  ${new Date(at).toISOString()}, attempt ${attempt}, ${sayError({ code, message })}`;
}

function sayError({ code, message }: { code: string; message?: string | null | undefined }) {
  return `${code}: ${message ?? ''}`;
}

function sayRow({ status, error_code: code, error_message: message }: TaskRow): string {
  return code === null ? status : `${status}, ${sayError({ code, message })}`;
}

function sayNoRow(problem: string | null): string {
  return problem === null ? 'no row' : `could not be read: ${problem}`;
}

function time(at: Date | number | null | undefined): string | null {
  return at == null ? null : new Date(at).toISOString();
}

function shorten(text = ''): string {
  return text.length > RESULT_LENGTH ? `${text.slice(0, RESULT_LENGTH)}…` : text;
}
