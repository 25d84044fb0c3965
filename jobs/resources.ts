/** Resources in the `ctx` of DaoDao's tasks. */
import type { Behaviour } from '../db/daodao/behaviour.ts';
import type { VectorIndex } from '../db/daodao/vector-index.ts';
import type { ChatModel, EmbeddingModel } from './llm/model.ts';

export interface VersionedCache {
  /** Stores a value unless a newer version is there. @returns the error of a permanent refusal. @throws if Redis is unavailable. */
  set(key: string, version: number, value: unknown, ttlSeconds: number): Promise<Error | undefined>;
  get<T>(key: string): Promise<{ version: number; value: T } | undefined>;
}

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
