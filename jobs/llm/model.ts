/**
 * What a language model offers to tasks; the client that speaks to one is loaded by worker threads only.
 */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  messages: ChatMessage[];
  /** JSON Schema the reply must satisfy; sent as `response_format`. */
  schema: { name: string; schema: Record<string, unknown> };
  maxTokens: number;
  signal?: AbortSignal | undefined;
}

/** A raw reply: stored before anything is read out of it. */
export interface ChatReply {
  /** May be empty. */
  text: string;
  /** Whether it was cut off at `maxTokens`. */
  truncated: boolean;
  /** Host of the server, or `offline` for the local coach. */
  provider: string;
  model: string;
  promptTokens: number;
  completionTokens: number;
  latencyMs: number;
}

/**
 * @throws {LlmError} of jobs/llm/error.ts: `retryable` tells whether asking again can help, `retryAfterMs` is the
 * server's own wish.
 */
export interface ChatModel {
  chat(request: ChatRequest): Promise<ChatReply>;
}

export interface Embeddings {
  /** One for each text, in order. */
  vectors: number[][];
  provider: string;
  model: string;
  promptTokens: number;
  latencyMs: number;
}

/** Turns texts into vectors. @throws {LlmError} as `ChatModel` does. */
export interface EmbeddingModel {
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Embeddings>;
}
