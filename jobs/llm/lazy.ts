/** Defers loading a model's client to the first call: most threads never make one, and all start faster. */
import { makeOnce } from '../../base/make-once.ts';
import type { ChatModel, EmbeddingModel } from './model.ts';

export function lazyChat(load: () => Promise<ChatModel>): ChatModel {
  const model = makeOnce(load);
  return { chat: async (request) => (await model()).chat(request) };
}

export function lazyEmbedder(load: () => Promise<EmbeddingModel>): EmbeddingModel {
  const model = makeOnce(load);
  return { embed: async (texts, signal) => (await model()).embed(texts, signal) };
}
