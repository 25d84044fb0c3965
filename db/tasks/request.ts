/** A request for a task, and how it was answered. */
import type { TaskStatus } from './rows.ts';

export interface Quota {
  most: number;
  /** In milliseconds. */
  withinMs: number;
}

export interface AcceptRequest {
  /** A UUID. */
  id: string;
  /** The caller chose the id: a row with the same id, name and payload is the same task. */
  isChosenId?: boolean | undefined;
  name: string;
  queue: string;
  /** 0 to 9, 9 first. */
  priority: number;
  /** JSON text, stored verbatim so that its digest stays the same. */
  payload: string;
  headers?: Record<string, string> | undefined;
  /** Earliest start: milliseconds from now, or a time. Default: now. */
  delayMs?: number | undefined;
  eta?: Date | undefined;
  /** Latest start, in milliseconds from now. Default: no limit. */
  expiresMs?: number | undefined;
  /** External id of the user who makes the request. */
  userId?: string | undefined;
  /** What the task is about, such as a practice's external id. */
  subject?: string | undefined;
  /** At most one unfinished row per key. */
  dedupeKey?: string | undefined;
  /**
   * Each request for an unstarted task of the same `dedupeKey` postpones it to this many milliseconds after the request. A request
   * for a started one is handled as with `trailing`.
   */
  debounceMs?: number | undefined;
  /** Upper limit of the postponement, in milliseconds after the first request. Default: none. */
  maxWaitMs?: number | undefined;
  /**
   * Whether a request for a started task of the same `dedupeKey` runs it once more afterwards, and one for an unstarted task
   * replaces its payload. Default: whether `debounceMs` is given.
   */
  trailing?: boolean | undefined;
  /** A request within this many milliseconds after the task of the same `dedupeKey` was accepted gets that task, ended or not. */
  uniqueForMs?: number | undefined;
  /** The slot of the schedule that makes the request. */
  slot?: Date | undefined;
  /** Unique per user for 24 h: the same key and request get the same task. */
  idempotencyKey?: string | undefined;
  /** The request as text, if the payload depends on more than the request. Default: the payload. */
  keyedRequest?: string | undefined;
  /** Most new tasks of this name for `userId` in any `withinMs`. All that were accepted count, revoked ones too. Default: no limit. */
  quota?: Quota | undefined;
  /** Hash of the result's inputs: a finished task with the same hash answers the request. */
  inputHash?: string | undefined;
}

export interface Accepted {
  id: string;
  status: TaskStatus;
  /**
   * `created`: a new row; `unfinished`: joined an unfinished task; `trailing`: runs after the started task; `repeated`: same
   * Idempotency-Key or id, or an ended task of a key that is unique for a period; `finished`: a finished task had the same input.
   */
  outcome: 'created' | 'unfinished' | 'trailing' | 'repeated' | 'finished';
  /** Milliseconds until it may run; undefined unless this request determines that. */
  delayMs?: number;
}
