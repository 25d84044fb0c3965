/**
 * Chat client on the `openai` package with its policy disabled: the package would retry twice with a timeout of ten minutes, and
 * accepts an HTML page or `{}` as an answer.
 */
import { APIError } from 'openai';
import { Type } from 'typebox';
import { Check } from 'typebox/schema';
import { connect, providerOf, within, type ServerOptions } from './connect.ts';
import { LlmError } from '../error.ts';
import type { ChatModel, ChatReply, ChatRequest } from '../model.ts';

interface LlmOptions extends ServerOptions {
  model: string;
}

/** Longest name of a model that is kept. */
const MAX_MODEL_LENGTH = 200;

const TokenCount = Type.Optional(Type.Union([Type.Number(), Type.Null()]));

/** The required fields of an answer; servers differ in the others. */
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

/**
 * A chat model behind an OpenAI-compatible server. If the server rejects `response_format`, drops it for good and asks again; the
 * caller validates the reply anyway.
 */
export function createLlm({ baseUrl, apiKey, model, timeoutMs }: LlmOptions): ChatModel {
  const client = connect({ baseUrl, apiKey, timeoutMs });
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

function readCompletion(
  completion: unknown,
  baseUrl: string,
  askedModel: string,
): Omit<ChatReply, 'latencyMs'> {
  if (!Check(Completion, completion)) throw new LlmError('malformed');
  const { finish_reason: ending, message } = completion.choices[0]!;
  if (ending === 'content_filter') throw new LlmError('filtered');
  const model = storable(completion.model ?? askedModel).slice(0, MAX_MODEL_LENGTH);
  return {
    text: storable(message.content ?? ''),
    truncated: ending === 'length',
    provider: providerOf(model, baseUrl),
    model,
    promptTokens: completion.usage?.prompt_tokens ?? 0,
    completionTokens: completion.usage?.completion_tokens ?? 0,
  };
}

/** Postgres rejects NUL and unpaired surrogates, and the raw reply is stored before it is parsed. */
function storable(text: string): string {
  return Buffer.from(text.replaceAll('\0', '')).toString();
}
