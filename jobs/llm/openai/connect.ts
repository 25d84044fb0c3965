/** Deadline and error mapping shared by all calls of a model server. */
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { LlmError } from '../error.ts';

/** Caps `Retry-After` at an hour. */
const MAX_RETRY_AFTER_MS = 3_600_000;

export interface ServerOptions {
  /** Usually ends in `/v1`. */
  baseUrl: string;
  apiKey: string;
  /** Deadline of a call, from the first byte sent to the last byte read, in milliseconds. */
  timeoutMs: number;
}

/** Disables the client's own policy. */
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

export function providerOf(model: string, baseUrl: string): string {
  return model === 'offline-coach' ? 'offline' : new URL(baseUrl).host;
}

/** Runs `work` with a hard deadline, even against a slow body. @throws {LlmError}, or the abort reason of `outer`. */
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
  // `fetch` reports a truncated body as a bare TypeError.
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

/** Parses `Retry-After`, in seconds or as a date. @returns milliseconds from now. */
function readRetryAfter(headers: unknown): number | undefined {
  const text = headers instanceof Headers ? headers.get('retry-after')?.trim() : undefined;
  if (text === undefined || text === '') return undefined;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(Math.round(ms), 0), MAX_RETRY_AFTER_MS);
}
