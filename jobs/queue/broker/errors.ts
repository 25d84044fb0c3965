/** The errors of the queue. */
import { isRedisUnavailable } from '../../../base/redis/unavailable.ts';

/** The default message of each code. Codes are stable. */
export const QUEUE_ERRORS = {
  REDIS_UNAVAILABLE:
    'Redis did not answer in time; whether the command ran is unknown, and sending it again is safe.',
  REDIS_UNSUITABLE: 'This Redis cannot hold a queue.',
  SHARDS_MISMATCH: 'The queue was made with another number of shards.',
  QUEUE_FULL: 'Redis holds as much as it may; nothing was added.',
  JOB_ID_INVALID: 'A job id is a UUID in lower case.',
  JOB_CONFLICT: 'Another job has this id.',
  JOB_OPTION_INVALID: 'An option of the job is out of its range.',
  OPTION_INVALID: 'An option of the queue is not valid.',
  PAYLOAD_NOT_JSON: 'A payload is JSON text.',
  PAYLOAD_TOO_LARGE: 'A payload has at most 1 MiB of JSON text.',
  RESULT_TOO_LARGE: 'A result has at most 1 MiB of JSON text.',
  RECORD_CORRUPT: 'What Redis holds for this id is not a job of this queue.',
  REVOKED: 'The job was revoked.',
  JOB_EXPIRED: 'The job was still waiting when it expired.',
  JOB_UNKNOWN: 'Redis does not know this job, or no longer keeps it.',
  RESULT_TIMEOUT: 'The job had not ended when the wait was over.',
  LEASE_LOST: 'The job is no longer leased to this worker; nothing was written.',
  WORKER_UNKNOWN: 'This worker is not registered: its jobs have been given to others.',
  COMMAND_INVALID: 'A command is a word and at most 16 KiB of JSON.',
  STALE: 'This call is older than the answers that are kept; nothing was written.',
  SCRIPT_FAILED: 'A script of the queue failed.',
} as const satisfies Record<string, string>;

export type QueueErrorCode = keyof typeof QUEUE_ERRORS;

export class QueueError extends Error {
  readonly code: QueueErrorCode;
  constructor(code: QueueErrorCode, message: string = QUEUE_ERRORS[code], options?: ErrorOptions) {
    super(message, options);
    this.name = 'QueueError';
    this.code = code;
  }
}

/** Error replies of the scripts, which are codes already. Redis prefixes an error of a single word with ERR. */
const WORDS = /^(?:ERR )?(STALE|WORKER_UNKNOWN)\b/;

/** The message of any thrown value, also of one whose conversion to text throws. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'What was thrown has no text.';
  }
}

/** Whether a cluster node redirected the command to the node that owns the key. */
export function isMoved(error: unknown): boolean {
  return error instanceof QueueError && error.message.startsWith('MOVED ');
}

export function classify(error: unknown): QueueError {
  if (error instanceof QueueError) return error;
  const message = messageOf(error);
  const word = WORDS.exec(message)?.[1];
  if (word !== undefined) return new QueueError(word as QueueErrorCode);
  if (/^OOM\b/.test(message)) return new QueueError('QUEUE_FULL', undefined, { cause: error });
  if (isRedisUnavailable(error)) {
    return new QueueError('REDIS_UNAVAILABLE', undefined, { cause: error });
  }
  return new QueueError('SCRIPT_FAILED', message, { cause: error });
}
