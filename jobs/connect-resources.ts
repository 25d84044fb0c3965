/** Clients for DaoDao's tasks, created once per worker thread and connected on first use. */
import type { ResolvedConfig } from '../base/config.ts';
import { Behaviour } from '../db/daodao/behaviour.ts';
import { Cache } from '../db/stores/cache.ts';
import { connectClickhouse } from '../db/stores/clickhouse.ts';
import { connectVectors } from '../db/stores/qdrant.ts';
import { VectorIndex } from '../db/daodao/vector-index.ts';
import { embeddingModelOf } from '../db/daodao/vector-collections.ts';
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
      const { createLlm } = await import('./llm/openai/chat.ts');
      return createLlm({ ...server, model: config.llmModel });
    }),
    embedder: lazyEmbedder(async () => {
      const { createEmbedder } = await import('./llm/openai/embedder.ts');
      return createEmbedder({ ...server, model: model.name, size: model.size });
    }),
    vectors: new VectorIndex(() => connectVectors(config), model),
    events: new Behaviour(() => connectClickhouse(config)),
    cache: new Cache(config.redisUrl, config.queuePrefix),
  };
}
