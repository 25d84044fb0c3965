/** Errors of the language model, in a file that does not load its client. */
import { Reject, Retry } from '../framework/errors.ts';

/** For each reason, whether a retry can help, and the message. */
const REASONS = {
  rate_limited: { retryable: true, message: 'The language model rate-limited the request.' },
  unavailable: { retryable: true, message: 'The language model is unavailable.' },
  timeout: { retryable: true, message: 'The language model took too long.' },
  connection: { retryable: true, message: 'The connection to the language model failed.' },
  malformed: { retryable: true, message: 'The server did not answer like a language model.' },
  filtered: { retryable: false, message: 'The language model withheld its answer.' },
  refused: { retryable: false, message: 'The language model refused the request.' },
  quota: { retryable: false, message: 'The language model account has no quota left.' },
} as const;

export type LlmReason = keyof typeof REASONS;

/** Excludes the prompt, the reply, the key and the server's message, as servers echo what they receive. */
export class LlmError extends Error {
  readonly reason: LlmReason;
  readonly retryable: boolean;
  /** From the server's `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** HTTP status, if the server answered. */
  readonly status: number | undefined;

  constructor(
    reason: LlmReason,
    {
      retryAfterMs,
      status,
    }: { retryAfterMs?: number | undefined; status?: number | undefined } = {},
  ) {
    super(REASONS[reason].message);
    this.name = 'LlmError';
    this.reason = reason;
    this.retryable = REASONS[reason].retryable;
    this.retryAfterMs = retryAfterMs;
    this.status = status;
  }
}

/** Maps an `LlmError` to the `Retry` or `Reject` that the task throws; returns other errors unchanged. */
export function outcomeOf(error: unknown): unknown {
  if (!(error instanceof LlmError)) return error;
  if (error.retryable) {
    return new Retry('LLM_UNAVAILABLE', error.message, {
      atLeastMs: error.retryAfterMs,
      cause: error,
    });
  }
  const code = error.reason === 'filtered' ? 'LLM_REPLY_INVALID' : 'LLM_UNAVAILABLE';
  return new Reject(code, error.message, { cause: error });
}
