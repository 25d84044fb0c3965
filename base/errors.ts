/**
 * The catalogue of everything that can go wrong for a caller: one code, one HTTP status, one sentence.
 * Bodies, logs and docs use these codes and no others.
 */
export const ERRORS = {
  CONFIG_INVALID: { status: 500, message: 'The configuration is not usable.' },
  BODY_MALFORMED: { status: 400, message: 'The body is not valid JSON.' },
  BODY_TOO_LARGE: {
    status: 413,
    message: 'The body is larger than the route takes: 2 MiB of events, 256 KiB elsewhere.',
  },
  CONTENT_TYPE_UNSUPPORTED: { status: 415, message: 'Send the body as application/json.' },
  REQUEST_INVALID: { status: 400, message: 'The request does not fit the schema.' },
  HEADERS_TOO_LARGE: { status: 431, message: 'The headers are larger than 16 KiB.' },
  REQUEST_TIMEOUT: { status: 408, message: 'The request took too long to arrive.' },
  ANSWER_TIMEOUT: { status: 503, message: 'The answer took too long. Try again shortly.' },
  TEXT_NOT_STORABLE: {
    status: 400,
    message: 'Text may not contain NUL characters or unpaired surrogates.',
  },
  UNAUTHENTICATED: {
    status: 401,
    message: 'Send a valid token: Authorization: Bearer <token>, or the auth_token cookie.',
  },
  FORBIDDEN: { status: 403, message: 'This is for people with the role admin.' },
  ROUTE_NOT_FOUND: { status: 404, message: 'There is no such route.' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'This route does not take that method.' },
  PRACTICE_NOT_FOUND: { status: 404, message: 'There is no such practice of yours.' },
  TASK_NOT_FOUND: { status: 404, message: 'There is no such task of yours.' },
  FEEDBACK_NOT_FOUND: { status: 404, message: 'This practice has no feedback yet.' },
  PRACTICE_NOT_COMPLETED: {
    status: 409,
    message: 'Feedback is for finished practices: complete or archive it first.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 409,
    message: 'This Idempotency-Key was used for another request.',
  },
  FEEDBACK_NOT_ENOUGH_CONTENT: {
    status: 422,
    message: 'There is too little in the check-ins to say anything true about them.',
  },
  PRACTICE_NOT_SHOWN: { status: 404, message: 'There is no such practice to be shown to you.' },
  VERDICT_UNSUPPORTED: { status: 422, message: 'A verdict is like or dislike.' },
  EVENT_INVALID: { status: 422, message: 'The event is not one we know.' },
  EVENT_TOO_OLD: { status: 422, message: 'The event happened more than 48 hours ago.' },
  EVENT_IN_FUTURE: { status: 422, message: 'The event has not happened yet.' },
  EVENTS_TOO_MANY: { status: 422, message: 'A request takes 500 events.' },
  SCHEDULE_INVALID: { status: 422, message: 'The schedule is not one that can be kept.' },
  SCHEDULE_NOT_FOUND: { status: 404, message: 'There is no such schedule.' },
  SCHEDULE_RUNNING: {
    status: 409,
    message: 'What this schedule started last has not ended, and it does not start twice.',
  },
  LLM_UNAVAILABLE: { status: 503, message: 'The language model did not answer.' },
  LLM_REPLY_INVALID: {
    status: 502,
    message: 'The language model did not answer in the agreed form.',
  },
  STORE_UNAVAILABLE: { status: 503, message: 'A store is unavailable. Try again shortly.' },
  TASK_UNKNOWN: { status: 500, message: 'No task of that name is registered.' },
  TASK_PAYLOAD_INVALID: {
    status: 500,
    message: 'The payload does not fit the schema of the task.',
  },
  TASK_PAYLOAD_TOO_LARGE: { status: 413, message: 'The payload has more than 1 MiB of JSON text.' },
  TASK_RESULT_TOO_LARGE: { status: 500, message: 'The result has more than 1 MiB of JSON text.' },
  TASK_OPTION_INVALID: { status: 500, message: 'An option of the call is not usable.' },
  TASK_ID_TAKEN: { status: 409, message: 'Another task has this id.' },
  TASK_REVOKED: { status: 409, message: 'The task was revoked.' },
  TASK_TIMEOUT: { status: 504, message: 'The task had not ended when the wait was over.' },
  QUEUE_UNKNOWN: { status: 500, message: 'No queue of that name is served.' },
  BACKLOG_FULL: {
    status: 503,
    message: 'More has been accepted than is being done. Try again later.',
  },
  QUEUE_FULL: { status: 503, message: 'The queue holds as much as it may. Try again later.' },
  TASK_TIME_LIMIT: { status: 500, message: 'The task ran longer than its time limit.' },
  TASK_EXPIRED: { status: 500, message: 'The task was still waiting when it expired.' },
  TASK_RETRIED: { status: 500, message: 'The task asked for another attempt once too often.' },
  TASK_FAILED: { status: 500, message: 'The task failed.' },
  WORKER_DIED: { status: 500, message: 'The worker ended while it ran the task.' },
  INTERNAL: { status: 500, message: 'Something went wrong on our side.' },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof ERRORS;

export interface AppErrorOptions {
  /** Replaces the catalogue's sentence. Shown to callers: no SQL, path, secret or payload text. */
  message?: string;
  /** Structured facts for the caller, for instance the offending fields. */
  details?: unknown;
  /** Sent as `Retry-After`, in seconds. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** An error a caller may see. Anything else that escapes is shown as `INTERNAL`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: unknown;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(options.message ?? ERRORS[code].message, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.status = ERRORS[code].status;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
