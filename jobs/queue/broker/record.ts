/**
 * The values of the `jobs` hash. A record is a two-letter kind, one line of JSON, a newline, and text that Lua never parses:
 *
 * - `v1{header}\n<payload>` a job; `e1` a job with an expiry, which `enqueue.lua` writes into the header
 * - `r1{header}\n<result>` a job that succeeded; a digest of its payload tells a repeated request from a conflict
 * - `f1{reason}\n<job record>` a dead letter
 * - `x1{reason}\n<job record>` a revoked or expired job
 */
import { hash } from 'node:crypto';
import type { Counts } from './counts.ts';
import { assertJobId, assertQueueName } from './keys.ts';
import { QueueError } from './errors.ts';

export const MAX_PAYLOAD_BYTES = 1024 * 1024;
/** A job with a longer result becomes a dead letter, `RESULT_TOO_LARGE`. */
export const MAX_RESULT_BYTES = 1024 * 1024;
/** Longest message of a reason, in characters; longer ones are truncated. */
const MAX_MESSAGE_LENGTH = 2000;
const MAX_CAUSE_LENGTH = 4000;

/** Characters of JSON. Headers stay short because scripts search the first line of a record for its end. */
export const MAX_HEADERS_LENGTH = 4096;

/** 100 years: added to the current time, it stays an exact integer in Lua and in a score. */
export const MAX_DURATION_MS = 100 * 365 * 86_400_000;

export interface JobRequest {
  /** A UUID in lower case. Adding the same id twice creates one job. */
  id: string;
  task: string;
  queue: string;
  /** JSON text, which the handler receives unchanged. */
  payload: string;
  /** 0 to 9; 9 runs first. Default 5. */
  priority?: number | undefined;
  /** Time until the job may run. Default 0. */
  delayMs?: number | undefined;
  /** Time, on Redis's clock, after which the job no longer starts. Default never. */
  expiresInMs?: number | undefined;
  /** Small facts for the handler, such as the user who asked. */
  headers?: Record<string, string> | undefined;
}

export interface Job {
  id: string;
  task: string;
  queue: string;
  priority: number;
  createdAtMs: number;
  /** On Redis's clock, in milliseconds since 1970. */
  expiresAtMs: number | undefined;
  headers: Record<string, string>;
  payload: string;
}

interface Header {
  q: string;
  p: number;
  n: string;
  c: number;
  x?: number;
  h?: Record<string, string>;
}

/**
 * Validates a request and encodes its record. `q` and `p` come first, where the scripts expect them.
 * @throws {QueueError} `JOB_ID_INVALID`, `JOB_OPTION_INVALID`, `PAYLOAD_NOT_JSON`, `PAYLOAD_TOO_LARGE`
 */
export function encodeJob(request: JobRequest, nowMs: number): string {
  const { id, task, queue, payload, priority = 5, delayMs = 0, expiresInMs, headers } = request;
  assertJobId(id);
  assertQueueName(queue);
  if (!/^[\w.:-]{1,128}$/.test(task)) {
    throw new QueueError(
      'JOB_OPTION_INVALID',
      'A task name has 1 to 128 letters, digits, "_", ".", ":" or "-".',
    );
  }
  if (!Number.isInteger(priority) || priority < 0 || priority > 9) {
    throw new QueueError('JOB_OPTION_INVALID', 'A priority is a whole number from 0 to 9.');
  }
  assertDuration('A delay', delayMs);
  if (expiresInMs !== undefined) assertDuration('An expiry', expiresInMs);
  assertPayload(payload);
  assertHeaders(headers);
  const kind = expiresInMs === undefined ? 'v1' : 'e1';
  const rest = headers === undefined ? '' : `,"h":${JSON.stringify(headers)}`;
  return `${kind}{"q":"${queue}","p":${priority},"n":"${task}","c":${nowMs}${rest}}\n${payload}`;
}

/** A UTF-16 code unit takes at most three bytes, so short texts need no byte count. */
export function isLongerThan(text: string, bytes: number): boolean {
  return text.length > bytes / 3 && Buffer.byteLength(text) > bytes;
}

/** @throws {QueueError} `JOB_OPTION_INVALID` */
export function assertDuration(what: string, ms: number): void {
  if (!Number.isSafeInteger(ms) || ms < 0 || ms > MAX_DURATION_MS) {
    throw new QueueError(
      'JOB_OPTION_INVALID',
      `${what} is a whole number of milliseconds, from 0 to 100 years.`,
    );
  }
}

function assertHeaders(headers: Record<string, string> | undefined): void {
  if (headers !== undefined && JSON.stringify(headers).length > MAX_HEADERS_LENGTH) {
    throw new QueueError('JOB_OPTION_INVALID', 'Headers have at most 4,096 characters of JSON.');
  }
}

function assertPayload(payload: string): void {
  if (isLongerThan(payload, MAX_PAYLOAD_BYTES)) {
    throw new QueueError('PAYLOAD_TOO_LARGE');
  }
  if (!payload.isWellFormed()) throw new QueueError('PAYLOAD_NOT_JSON');
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new QueueError('PAYLOAD_NOT_JSON', undefined, { cause: error });
  }
}

/** @throws {QueueError} `RECORD_CORRUPT` */
export function decodeJob(id: string, record: string): Job {
  const newline = record.indexOf('\n');
  const kind = record.slice(0, 2);
  if ((kind !== 'v1' && kind !== 'e1') || newline < 0) throw new QueueError('RECORD_CORRUPT');
  const header = parseLine<Header>(record.slice(2, newline));
  return {
    id,
    task: header.n,
    queue: header.q,
    priority: header.p,
    createdAtMs: header.c,
    expiresAtMs: header.x,
    headers: header.h ?? {},
    payload: record.slice(newline + 1),
  };
}

/**
 * The digest is the first 16 hex digits of SHA-1 over task name, newline and payload.
 * @param attempts those the job took, the successful one included; 0 leaves them out.
 */
export function encodeResult(job: Job, result: string, finishedAtMs: number, attempts = 0): string {
  const digest = hash('sha1', `${job.task}\n${job.payload}`, 'hex').slice(0, 16);
  const tried = attempts > 0 ? `"a":${attempts},` : '';
  return `r1{"q":"${job.queue}","n":"${job.task}","c":${job.createdAtMs},"f":${finishedAtMs},${tried}"d":"${digest}"}\n${result}`;
}

/** Why a job ended without a result. */
export interface Reason {
  code: string;
  message?: string | undefined;
  /** The error behind it, for operators only. At most 4,000 characters are kept. */
  cause?: string | undefined;
}

type StoredReason = Reason & { attempts?: number; deaths?: number };

/** @param counts what was charged to the job, which `counts` forgets at its end. */
export function encodeReason({ code, message, cause }: Reason, counts?: Counts): string {
  return JSON.stringify({
    code,
    message: message?.slice(0, MAX_MESSAGE_LENGTH),
    cause: cause?.slice(0, MAX_CAUSE_LENGTH),
    attempts: counts?.attempts || undefined,
    deaths: counts?.deaths || undefined,
  } satisfies { [K in keyof StoredReason]-?: unknown });
}

export interface JobAbout {
  task: string;
  queue: string;
  /** On the producer's clock, in milliseconds since 1970. */
  createdAtMs: number;
}

/** The job record inside a dead letter or a revoked job; any other record unchanged. */
export function unwrap(record: string): string {
  const isWrapped = record.startsWith('f1') || record.startsWith('x1');
  return isWrapped ? record.slice(record.indexOf('\n') + 1) : record;
}

/** @returns undefined for an unreadable record. */
export function decodeAbout(record: string): JobAbout | undefined {
  const inner = unwrap(record);
  try {
    const {
      n: task,
      q: queue,
      c: createdAtMs,
    } = parseLine<Header>(inner.slice(2, inner.indexOf('\n')));
    return { task, queue, createdAtMs };
  } catch {
    return undefined;
  }
}

export interface Ended {
  result: string | undefined;
  reason: Reason | undefined;
  finishedAtMs: number | undefined;
  /** Task name and queue of a job that succeeded, whose result has replaced the job record. */
  task: string | undefined;
  queue: string | undefined;
  /** What was charged to the job when it ended. */
  charged: Omit<Counts, 'mark'> | undefined;
}

const RUNNING: Ended = {
  result: undefined,
  reason: undefined,
  finishedAtMs: undefined,
  task: undefined,
  queue: undefined,
  charged: undefined,
};

/** The outcome in a record; every field is undefined until the job ends. Of an unreadable one the code says that. */
export function decodeEnd(record: string): Ended {
  const newline = record.indexOf('\n');
  const kind = record.slice(0, 2);
  if (kind !== 'r1' && kind !== 'f1' && kind !== 'x1') return RUNNING;
  try {
    const line = record.slice(2, newline);
    if (kind === 'r1') return decodeResult(line, record.slice(newline + 1));
    const { attempts = 0, deaths = 0, ...reason } = parseLine<StoredReason>(line);
    return { ...RUNNING, reason, charged: { attempts, deaths } };
  } catch {
    return { ...RUNNING, reason: { code: 'RECORD_CORRUPT' } };
  }
}

function decodeResult(line: string, result: string): Ended {
  const { f, n, q, a = 0 } = parseLine<{ f: number; n: string; q: string; a?: number }>(line);
  const charged = { attempts: a, deaths: 0 };
  return { ...RUNNING, result, finishedAtMs: f, task: n, queue: q, charged };
}

function parseLine<T>(line: string): T {
  try {
    return JSON.parse(line) as T;
  } catch (error) {
    throw new QueueError('RECORD_CORRUPT', undefined, { cause: error });
  }
}
