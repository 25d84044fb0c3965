/**
 * The clients that DaoDao's tasks use, made once in each worker thread. Each connects when it is first used.
 */
import type { ResolvedConfig } from '../config.ts';
import { Behaviour } from '../db/behaviour.ts';
import { Cache } from '../db/cache.ts';
import { VectorIndex } from '../db/vector-index.ts';
import { embeddingModelOf } from '../db/vectors.ts';
import { lazyChat, lazyEmbedder } from './llm/lazy.ts';
import type { Resources } from './resources.ts';

export function connect(config: ResolvedConfig): Resources {
  const server = {
    baseUrl: config.openaiBaseUrl,
    apiKey: config.openaiApiKey,
    timeoutMs: config.llmTimeoutMs,
  };
  const model = embeddingModelOf(config);
  return {
    settings: config,
    llm: lazyChat(async () => {
      const { createLlm } = await import('./llm/client.ts');
      return createLlm({ ...server, model: config.llmModel });
    }),
    embedder: lazyEmbedder(async () => {
      const { createEmbedder } = await import('./llm/embedder.ts');
      return createEmbedder({ ...server, model: model.name, size: model.size });
    }),
    vectors: new VectorIndex(
      async () => (await import('../db/qdrant.ts')).createVectors(config),
      model,
    ),
    events: new Behaviour(async () =>
      (await import('../db/clickhouse.ts')).createClickhouse(config),
    ),
    cache: new Cache(config.redisUrl, config.queuePrefix),
  };
}
