/** Resources in the `ctx` of DaoDao's tasks. */
import type { Behaviour } from '../db/daodao/behaviour.ts';
import type { Cache } from '../db/stores/cache.ts';
import type { VectorIndex } from '../db/daodao/vector-index.ts';
import type { ChatModel, EmbeddingModel } from './llm/model.ts';

export type VersionedCache = Pick<Cache, 'get' | 'set'>;

/** Thresholds from the configuration: progress in per cent, and average `noteLength`. */
export interface TaskSettings {
  feedbackMinProgress: number;
  feedbackMinNoteLength: number;
}

export interface Resources {
  readonly settings: TaskSettings;
  readonly llm: ChatModel;
  readonly embedder: EmbeddingModel;
  readonly vectors: VectorIndex;
  readonly events: Behaviour;
  readonly cache: VersionedCache;
}
