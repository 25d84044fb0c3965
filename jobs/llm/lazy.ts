/**
 * Models whose client is loaded by the first call: most threads of a process never make one, and each starts sooner for it.
 */
import { connectOnce } from '../../base/connect-once.ts';
import type { ChatModel, EmbeddingModel } from './model.ts';

export function lazyChat(load: () => Promise<ChatModel>): ChatModel {
  const model = connectOnce(load);
  return { chat: async (request) => (await model()).chat(request) };
}

export function lazyEmbedder(load: () => Promise<EmbeddingModel>): EmbeddingModel {
  const model = connectOnce(load);
  return { embed: async (texts, signal) => (await model()).embed(texts, signal) };
}
