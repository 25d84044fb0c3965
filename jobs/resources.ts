/** Resources in the `ctx` of DaoDao's tasks. */
import type { Behaviour } from '../db/daodao/behaviour.ts';
import type { Cache } from '../db/stores/cache.ts';
import type { VectorIndex } from '../db/daodao/vector-index.ts';
import type { ChatModel, EmbeddingModel } from './llm/model.ts';

export type VersionedCache = Pick<Cache, 'get' | 'set'>;

/** From the configuration. */
export interface TaskSettings {
  /** In per cent. */
  feedbackMinProgress: number;
  /** Average `noteLength`. */
  feedbackMinNoteLength: number;
  /** New texts per person within 24 hours. */
  feedbackPerDay: number;
}

export interface Resources {
  readonly settings: TaskSettings;
  readonly llm: ChatModel;
  readonly embedder: EmbeddingModel;
  readonly vectors: VectorIndex;
  readonly events: Behaviour;
  readonly cache: VersionedCache;
}
