/** The catalogue of errors a caller may see: code, HTTP status and message. Bodies, logs and docs use only these codes. */
export const ERRORS = {
  CONFIG_INVALID: { status: 500, message: 'The configuration is not valid.' },
  BODY_MALFORMED: { status: 400, message: 'The body is not valid JSON.' },
  BODY_TOO_LARGE: {
    status: 413,
    message: 'The body exceeds the limit: 2 MiB for events, 256 KiB for other routes.',
  },
  CONTENT_TYPE_UNSUPPORTED: { status: 415, message: 'Send the body as application/json.' },
  REQUEST_INVALID: { status: 400, message: 'The request does not match the schema.' },
  HEADERS_TOO_LARGE: { status: 431, message: 'The headers exceed 16 KiB.' },
  REQUEST_TIMEOUT: { status: 408, message: 'The request took too long to arrive.' },
  ANSWER_TIMEOUT: {
    status: 503,
    message: 'The server took too long to answer. Try again shortly.',
  },
  TEXT_NOT_STORABLE: {
    status: 400,
    message: 'Text may not contain NUL characters or unpaired surrogates.',
  },
  UNAUTHENTICATED: {
    status: 401,
    message: 'Send a valid token: Authorization: Bearer <token>, or the auth_token cookie.',
  },
  FORBIDDEN: { status: 403, message: 'This route requires the role admin.' },
  ORIGIN_FORBIDDEN: {
    status: 403,
    message:
      'A request that changes something with the auth_token cookie must come from an allowed Origin. Or send the token as Authorization: Bearer.',
  },
  USER_TEMPORARY: { status: 403, message: 'Complete the sign-up first.' },
  ROUTE_NOT_FOUND: { status: 404, message: 'There is no such route.' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'This route does not support that method.' },
  PRACTICE_NOT_FOUND: { status: 404, message: 'Practice not found, or not yours.' },
  TASK_NOT_FOUND: { status: 404, message: 'Task not found, or not yours.' },
  GROUP_NOT_FOUND: { status: 404, message: 'Group of tasks not found, or not yours.' },
  FEEDBACK_NOT_FOUND: { status: 404, message: 'This practice has no feedback yet.' },
  PRACTICE_NOT_COMPLETED: {
    status: 409,
    message: 'Only finished practices get feedback: complete or archive it first.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 409,
    message: 'This Idempotency-Key was used for another request.',
  },
  FEEDBACK_NOT_ENOUGH_CONTENT: {
    status: 422,
    message: 'The check-ins contain too little text to give feedback on.',
  },
  PRACTICE_NOT_SHOWN: { status: 404, message: 'Practice not found, or not visible to you.' },
  VERDICT_UNSUPPORTED: { status: 422, message: 'The verdict must be like or dislike.' },
  EVENT_INVALID: { status: 422, message: 'The event is not valid.' },
  EVENT_TOO_OLD: { status: 422, message: 'The event happened more than 48 hours ago.' },
  EVENT_IN_FUTURE: { status: 422, message: 'The event is more than 5 minutes in the future.' },
  EVENTS_TOO_MANY: { status: 422, message: 'A request may contain at most 500 events.' },
  SCHEDULE_INVALID: { status: 422, message: 'The schedule is not valid.' },
  SCHEDULE_NOT_FOUND: { status: 404, message: 'There is no such schedule.' },
  SCHEDULE_RUNNING: {
    status: 409,
    message: 'The last run of this schedule has not ended, and its runs may not overlap.',
  },
  LLM_UNAVAILABLE: { status: 503, message: 'The language model did not answer.' },
  LLM_REPLY_INVALID: {
    status: 502,
    message: 'The language model did not answer in the required format.',
  },
  STORE_UNAVAILABLE: { status: 503, message: 'A store is unavailable. Try again shortly.' },
  TASK_UNKNOWN: { status: 500, message: 'No task of that name is registered.' },
  TASK_PAYLOAD_INVALID: {
    status: 500,
    message: 'The payload does not match the schema of the task.',
  },
  TASK_PAYLOAD_TOO_LARGE: { status: 413, message: 'The payload exceeds 1 MiB of JSON text.' },
  TASK_RESULT_TOO_LARGE: { status: 500, message: 'The result exceeds 1 MiB of JSON text.' },
  TASK_OPTION_INVALID: { status: 500, message: 'An option of the call is not valid.' },
  GRAPH_INVALID: { status: 400, message: 'The composition of tasks is not valid.' },
  TASK_UNDISPATCHABLE: { status: 500, message: 'The queue cannot take the task as it was stored.' },
  TASK_ID_TAKEN: { status: 409, message: 'Another task has this id.' },
  TASK_REVOKED: { status: 409, message: 'The task was revoked.' },
  TASK_SKIPPED: { status: 409, message: 'A task before this one failed, so it did not run.' },
  TASK_TIMEOUT: { status: 504, message: 'The task had not ended when the wait timed out.' },
  QUEUE_UNKNOWN: { status: 500, message: 'No queue of that name is served.' },
  QUOTA_EXCEEDED: {
    status: 429,
    message: 'You have used up what one account may ask for. Try again later.',
  },
  OUTBOX_FULL: {
    status: 503,
    message: 'Too many events are waiting to be stored. Send them again later.',
  },
  BACKLOG_FULL: {
    status: 503,
    message: 'The backlog of accepted tasks is full. Try again later.',
  },
  QUEUE_FULL: { status: 503, message: 'The queue is full. Try again later.' },
  TASK_TIME_LIMIT: { status: 500, message: 'The task ran longer than its time limit.' },
  TASK_EXPIRED: { status: 500, message: 'The task expired before it started.' },
  TASK_RETRIED: {
    status: 500,
    message: 'The task asked for another attempt, but none was allowed.',
  },
  TASK_FAILED: { status: 500, message: 'The task failed.' },
  WORKER_DIED: { status: 500, message: 'The worker died while running the task.' },
  INTERNAL: { status: 500, message: 'Something went wrong on our side.' },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof ERRORS;

export interface AppErrorOptions {
  /** Replaces the message of the catalogue. Callers see it: no SQL, paths, secrets or payload text. */
  message?: string;
  /** For instance the invalid fields. */
  details?: unknown;
  /** Sent as `Retry-After`, in seconds. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** The only error callers see as it is; any other becomes `INTERNAL`. */
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
