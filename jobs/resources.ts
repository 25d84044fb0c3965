/**
 * What DaoDao's tasks may touch beside what every task gets.
 */
import type { Behaviour } from '../db/daodao/behaviour.ts';
import type { VectorIndex } from '../db/daodao/vector-index.ts';
import type { ChatModel, EmbeddingModel } from './llm/model.ts';

export interface VersionedCache {
  /**
   * Stores a value unless a newer version is there. `version` comes from Postgres.
   * @returns the error with which the cache refuses it for good; undefined otherwise.
   * @throws when the cache is unavailable.
   */
  set(key: string, version: number, value: unknown, ttlSeconds: number): Promise<Error | undefined>;
  get<T>(key: string): Promise<{ version: number; value: T } | undefined>;
}

/** Settings of the domain, decided by the configuration. */
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
