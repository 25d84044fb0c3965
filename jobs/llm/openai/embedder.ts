/** Embedding client on the `openai` package with its policy disabled. */
import { Type } from 'typebox';
import { Check } from 'typebox/schema';
import { connect, providerOf, within, type ServerOptions } from './connect.ts';
import { LlmError } from '../error.ts';
import type { EmbeddingModel } from '../model.ts';

interface EmbedderOptions extends ServerOptions {
  model: string;
  /** Vector length. */
  size: number;
}

const Answer = Type.Object({
  model: Type.Optional(Type.String()),
  data: Type.Array(Type.Object({ index: Type.Integer(), embedding: Type.Array(Type.Number()) })),
  usage: Type.Optional(Type.Object({ prompt_tokens: Type.Optional(Type.Number()) })),
});

/** An embedding model behind an OpenAI-compatible server. Throws `malformed` unless the answer has one vector per text. */
export function createEmbedder({ model, size, ...server }: EmbedderOptions): EmbeddingModel {
  const { baseUrl, timeoutMs } = server;
  const client = connect(server);
  return {
    async embed(texts, signal) {
      const startedAt = performance.now();
      const request = {
        model,
        input: [...texts],
        dimensions: size,
        encoding_format: 'float' as const,
      };
      const answer: unknown = await within(timeoutMs, signal, (inner) =>
        client.embeddings.create(request, { signal: inner }),
      );
      if (!Check(Answer, answer)) throw new LlmError('malformed');
      const vectors: number[][] = [];
      for (const { index, embedding } of answer.data) vectors[index] = embedding;
      const isWhole =
        vectors.length === texts.length &&
        texts.every((_, index) => vectors[index]?.length === size);
      if (!isWhole) throw new LlmError('malformed');
      const found = answer.model ?? model;
      return {
        vectors,
        provider: providerOf(found, baseUrl),
        model: found,
        promptTokens: answer.usage?.prompt_tokens ?? 0,
        latencyMs: Math.round(performance.now() - startedAt),
      };
    },
  };
}
