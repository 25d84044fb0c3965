/**
 * The language model, through the `openai` package and nothing of its policy: it would retry twice by itself with a
 * timeout of ten minutes, and takes an HTML page or `{}` for an answer.
 */
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { LlmError } from './error.ts';
import type { ChatModel, ChatReply, ChatRequest } from './provider.ts';

export interface LlmOptions {
  /** Ends in `/v1` for most servers. */
  baseUrl: string;
  apiKey: string;
  model: string;
  /** Deadline of one call, from the first byte sent to the last byte read, in milliseconds. */
  timeoutMs: number;
}

const TokenCount = Type.Optional(Type.Union([Type.Number(), Type.Null()]));

/** The least an answer must have; servers differ in everything else. */
const Completion = Type.Object({
  model: Type.Optional(Type.String()),
  choices: Type.Array(
    Type.Object({
      finish_reason: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      message: Type.Object({ content: Type.Optional(Type.Union([Type.String(), Type.Null()])) }),
    }),
    { minItems: 1 },
  ),
  usage: Type.Optional(
    Type.Union([
      Type.Object({ prompt_tokens: TokenCount, completion_tokens: TokenCount }),
      Type.Null(),
    ]),
  ),
});

/** Nobody waits longer than an hour because a header says so. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * A chat model behind an OpenAI-compatible server.
 * A server that refuses `response_format` is asked once more without it, and never again with it: the caller checks
 * the form of the reply anyway.
 */
export function createLlm({ baseUrl, apiKey, model, timeoutMs }: LlmOptions): ChatModel {
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey,
    maxRetries: 0,
    timeout: timeoutMs,
    organization: null,
    project: null,
    logLevel: 'off',
  });
  let takesSchema = true;

  async function ask(request: ChatRequest, signal: AbortSignal): Promise<unknown> {
    const withSchema = takesSchema;
    const body = {
      model,
      messages: request.messages,
      max_tokens: request.maxTokens,
      ...(withSchema ? { response_format: strictSchema(request.schema) } : {}),
    };
    try {
      return await client.chat.completions.create(body, { signal });
    } catch (error) {
      if (!withSchema || !refusesSchema(error)) throw error;
      takesSchema = false;
      return ask(request, signal);
    }
  }

  return {
    async chat(request) {
      const startedAt = performance.now();
      const completion = await within(timeoutMs, request.signal, (signal) => ask(request, signal));
      const latencyMs = Math.round(performance.now() - startedAt);
      return { ...readCompletion(completion, baseUrl, model), latencyMs };
    },
  };
}

function strictSchema({ name, schema }: ChatRequest['schema']) {
  return { type: 'json_schema' as const, json_schema: { name, strict: true, schema } };
}

function refusesSchema(error: unknown): boolean {
  if (!(error instanceof APIError) || (error.status !== 400 && error.status !== 422)) return false;
  return /response_format|json_schema/.test(error.message);
}

/**
 * Runs `work` with a deadline that holds whatever the server does, a body that drips included.
 * @throws {LlmError}; when `outer` is aborted, its reason.
 */
async function within<T>(
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

function readCompletion(
  completion: unknown,
  baseUrl: string,
  askedModel: string,
): Omit<ChatReply, 'latencyMs'> {
  if (!Value.Check(Completion, completion)) throw new LlmError('malformed');
  const { finish_reason: ending, message } = completion.choices[0]!;
  if (ending === 'content_filter') throw new LlmError('filtered');
  if (ending === 'length') throw new LlmError('truncated');
  const text = storable(message.content ?? '');
  if (text.trim() === '') throw new LlmError('empty');
  const model = completion.model ?? askedModel;
  return {
    text,
    provider: model === 'offline-coach' ? 'offline' : new URL(baseUrl).host,
    model,
    promptTokens: completion.usage?.prompt_tokens ?? 0,
    completionTokens: completion.usage?.completion_tokens ?? 0,
  };
}

/** Postgres refuses NUL and unpaired surrogates, and the raw reply is stored before anyone reads it. */
function storable(text: string): string {
  return Buffer.from(text.replaceAll('\0', '')).toString();
}
