/**
 * What every call of a model server has in common: a deadline, and errors in our own words.
 */
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { LlmError } from '../error.ts';

/** Nobody waits longer than an hour because a header says so. */
const MAX_RETRY_AFTER_MS = 3_600_000;

export interface ServerOptions {
  /** Ends in `/v1` for most servers. */
  baseUrl: string;
  apiKey: string;
  /** Deadline of one call, from the first byte sent to the last byte read, in milliseconds. */
  timeoutMs: number;
}

/** The client, with nothing of its own policy. */
export function connect({ baseUrl, apiKey, timeoutMs }: ServerOptions): OpenAI {
  return new OpenAI({
    baseURL: baseUrl,
    apiKey,
    maxRetries: 0,
    timeout: timeoutMs,
    organization: null,
    project: null,
    logLevel: 'off',
  });
}

/** Who answered: the host of the server, or `offline` for the local coach. */
export function providerOf(model: string, baseUrl: string): string {
  return model === 'offline-coach' ? 'offline' : new URL(baseUrl).host;
}

/**
 * Runs `work` with a deadline that holds whatever the server does, a body that drips included.
 * @throws {LlmError}; when `outer` is aborted, its reason.
 */
export async function within<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new LlmError('timeout')), timeoutMs);
  const follow = () => controller.abort(outer?.reason);
  outer?.addEventListener('abort', follow);
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', reject, { once: true });
  });
  try {
    return await Promise.race([work(controller.signal), aborted]);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : asLlmError(error);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', follow);
  }
}

function asLlmError(error: unknown): LlmError {
  if (error instanceof APIConnectionTimeoutError) return new LlmError('timeout');
  if (error instanceof APIConnectionError) return new LlmError('connection');
  if (error instanceof SyntaxError) return new LlmError('malformed');
  // A body cut half way is a bare TypeError of fetch.
  if (!(error instanceof APIError)) return new LlmError('connection');
  const status = typeof error.status === 'number' ? error.status : undefined;
  const retryAfterMs = readRetryAfter(error.headers);
  if (status === 429) {
    const used = error.code === 'insufficient_quota';
    return new LlmError(used ? 'quota' : 'rate_limited', { status, retryAfterMs });
  }
  const passing = status === undefined || status >= 500 || [408, 409, 425].includes(status);
  return new LlmError(passing ? 'unavailable' : 'refused', { status, retryAfterMs });
}

/** `Retry-After` in seconds or as a date, in milliseconds from now. */
function readRetryAfter(headers: unknown): number | undefined {
  const text = headers instanceof Headers ? headers.get('retry-after')?.trim() : undefined;
  if (text === undefined || text === '') return undefined;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(Math.round(ms), 0), MAX_RETRY_AFTER_MS);
}
