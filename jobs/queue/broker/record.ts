/**
 * What stands in the `jobs` hash. A record is a two-letter kind, one line of JSON, a newline, and text Lua never parses:
 *
 * - `v1{header}\n<payload>` a job; `e1` the same with an expiry, which the script that adds it writes into the header
 * - `r1{"s":...}\n<result>` a job that succeeded; the digest of its payload is kept to tell a repeat from a conflict
 * - `f1{reason}\n<job record>` a dead letter
 * - `x1{reason}\n<job record>` revoked or expired
 */
import { hash } from 'node:crypto';
import { assertJobId, assertQueueName } from './keys.ts';
import { QueueError } from './errors.ts';

/** Longest payload, in bytes of JSON text. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;
/** Longest result, in bytes of JSON text; a job with a longer one ends as failed, `RESULT_TOO_LARGE`. */
export const MAX_RESULT_BYTES = 1024 * 1024;
/** Longest message of a reason, in characters; the rest is cut off. */
const MAX_MESSAGE_LENGTH = 2000;

/** Headers are read by scripts that look for the end of the first line: they stay short. */
export const MAX_HEADERS_LENGTH = 4096;

/** 100 years: a sum with the time of day stays a whole number in Lua and in a score. */
export const MAX_DURATION_MS = 100 * 365 * 86_400_000;

export interface JobRequest {
  /** A UUID in lower case; the same id twice is one job. */
  id: string;
  /** Name of the task that runs it. */
  task: string;
  queue: string;
  /** JSON text. It reaches the handler to the letter. */
  payload: string;
  /** 0 to 9, 9 first. Default 5. */
  priority?: number | undefined;
  /** Milliseconds until it may run. Default 0. */
  delayMs?: number | undefined;
  /** Milliseconds, by the clock of Redis, after which it is not started any more. Default never. */
  expiresInMs?: number | undefined;
  /** Small facts for the handler, for instance who asked. */
  headers?: Record<string, string> | undefined;
}

export interface Job {
  id: string;
  task: string;
  queue: string;
  priority: number;
  createdAtMs: number;
  /** By the clock of Redis, in milliseconds since 1970. */
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
 * Checks a request and writes its record. `q` and `p` come first: scripts find them there.
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

/** Whether a text has more bytes than that; a character has three at most, counted as JavaScript does. */
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

/** Record of a success. The digest is the first 16 hex digits of SHA-1 over task name, newline and payload. */
export function encodeResult(job: Job, result: string, finishedAtMs: number): string {
  const digest = hash('sha1', `${job.task}\n${job.payload}`, 'hex').slice(0, 16);
  return `r1{"q":"${job.queue}","n":"${job.task}","c":${job.createdAtMs},"f":${finishedAtMs},"d":"${digest}"}\n${result}`;
}

/** Why a job ended without a result. */
export interface Reason {
  code: string;
  message?: string | undefined;
}

export function encodeReason({ code, message }: Reason): string {
  return JSON.stringify({ code, message: message?.slice(0, MAX_MESSAGE_LENGTH) });
}

/** What every record tells of its job, ended or not. */
export interface JobAbout {
  task: string;
  queue: string;
  /** By the clock of the producer, in milliseconds since 1970. */
  createdAtMs: number;
}

/** The record behind the reason of a dead letter or a revoked job; any other as it is. */
export function unwrap(record: string): string {
  const isWrapped = record.startsWith('f1') || record.startsWith('x1');
  return isWrapped ? record.slice(record.indexOf('\n') + 1) : record;
}

/** @returns undefined for what is no record. */
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
  /** Name of its task, and its queue, once its result has taken the place of the job. */
  task: string | undefined;
  queue: string | undefined;
}

export const RUNNING: Ended = {
  result: undefined,
  reason: undefined,
  finishedAtMs: undefined,
  task: undefined,
  queue: undefined,
};

/** What a record says about the end of its job; everything undefined while there is none. */
export function decodeEnd(record: string): Ended {
  const newline = record.indexOf('\n');
  const kind = record.slice(0, 2);
  const line = record.slice(2, newline);
  if (kind === 'r1') {
    const { f, n, q } = parseLine<{ f: number; n: string; q: string }>(line);
    const result = record.slice(newline + 1);
    return { result, reason: undefined, finishedAtMs: f, task: n, queue: q };
  }
  const reason = kind === 'f1' || kind === 'x1' ? parseLine<Reason>(line) : undefined;
  return { ...RUNNING, reason };
}

function parseLine<T>(line: string): T {
  try {
    return JSON.parse(line) as T;
  } catch (error) {
    throw new QueueError('RECORD_CORRUPT', undefined, { cause: error });
  }
}

/** What went wrong with a job so far. */
export interface Counts {
  /** Attempts charged: the handler's own failures. */
  attempts: number;
  /** Deaths charged: its thread or process ended while it ran alone. */
  deaths: number;
  /** `s`: a suspect, to be run alone; `r`: running alone; empty otherwise. */
  mark: '' | 's' | 'r';
}

const NOTHING_WRONG: Counts = Object.freeze({ attempts: 0, deaths: 0, mark: '' });

export function decodeCounts(text: string): Counts {
  if (text === '') return NOTHING_WRONG;
  const [attempts = '0', deaths = '0', mark = ''] = text.split(':');
  return { attempts: Number(attempts), deaths: Number(deaths), mark: mark as Counts['mark'] };
}

export function encodeCounts({ attempts, deaths, mark }: Counts): string {
  return `${attempts}:${deaths}:${mark}`;
}
