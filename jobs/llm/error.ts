/**
 * How a call of the language model fails, in a file that does not load the client.
 */
import { Reject, Retry } from '../framework/errors.ts';

/** Why there is no reply: a word for logs and tests, whether asking again can help, and a sentence. */
const REASONS = {
  rate_limited: { retryable: true, message: 'The language model asked to wait.' },
  unavailable: { retryable: true, message: 'The language model has a problem of its own.' },
  timeout: { retryable: true, message: 'The language model took too long.' },
  connection: { retryable: true, message: 'The connection to the language model failed.' },
  malformed: { retryable: true, message: 'The server did not answer like a language model.' },
  filtered: { retryable: false, message: 'The language model withheld its answer.' },
  refused: { retryable: false, message: 'The language model refused the request.' },
  quota: { retryable: false, message: 'The account of the language model is used up.' },
} as const;

export type LlmReason = keyof typeof REASONS;

/** Carries neither prompt, reply, key nor the server's own words: servers echo what they were sent. */
export class LlmError extends Error {
  readonly reason: LlmReason;
  readonly retryable: boolean;
  /** The server's own wish, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** HTTP status, if there was one. */
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

/** What a task throws for an error of `chat`: `Retry` or `Reject`; anything that is not an `LlmError` stays as it is. */
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
