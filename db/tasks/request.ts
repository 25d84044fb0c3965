/**
 * What is asked of `ai.tasks`, and what it came to.
 */
import type { TaskStatus } from './rows.ts';

export interface AcceptRequest {
  /** A UUID. */
  id: string;
  /** The caller chose the id, so it may be there already: with the same name and payload it is the same task. */
  isChosenId?: boolean | undefined;
  name: string;
  queue: string;
  /** 0 to 9, 9 first. */
  priority: number;
  /** JSON text, kept to the letter so that its digest stays the same. */
  payload: string;
  headers?: Record<string, string> | undefined;
  /** Not to be started before this many milliseconds from now, or before this time. Default: at once. */
  delayMs?: number | undefined;
  eta?: Date | undefined;
  /** Not to be started after this many milliseconds from now. Default: never too late. */
  expiresMs?: number | undefined;
  /** External id of the user who asks. */
  userId?: string | undefined;
  /** What it is about, for instance a practice's external id. */
  subject?: string | undefined;
  /** At most one unfinished row per key. */
  dedupeKey?: string | undefined;
  /**
   * Each request for the same `dedupeKey`, while its task has not begun, puts it off until this many milliseconds from then. One
   * that comes after it has begun is done after it, as with `trailing`.
   */
  debounceMs?: number | undefined;
  /** But not beyond this many milliseconds from the first. Default: as long as requests come. */
  maxWaitMs?: number | undefined;
  /**
   * A request that meets a task of the same `dedupeKey` which has begun is done once more after it, and one that meets a task
   * which has not gives it its own payload. Default: whether `debounceMs` is given.
   */
  trailing?: boolean | undefined;
  /** Unique per user for 24 h: the same key and request get the same task. */
  idempotencyKey?: string | undefined;
  /** The request that the key came with, as text, when the payload depends on more than it says. Default: the payload. */
  keyedRequest?: string | undefined;
  /** Hash of everything the result depends on: a finished task with the same one is the answer. */
  inputHash?: string | undefined;
}

export interface Accepted {
  id: string;
  status: TaskStatus;
  /**
   * `created`: a new row; `unfinished`: the same work is on its way; `trailing`: it is done once more after the task that has
   * begun; `repeated`: same Idempotency-Key or id; `finished`: same input, already done.
   */
  outcome: 'created' | 'unfinished' | 'trailing' | 'repeated' | 'finished';
  /** Milliseconds until it may run; undefined when that is not up to this request. */
  delayMs?: number;
}
