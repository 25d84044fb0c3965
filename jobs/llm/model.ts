/** Interfaces of language and embedding models. Only worker threads load the clients. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  messages: ChatMessage[];
  /** JSON Schema of the reply, sent as `response_format`. */
  schema: { name: string; schema: Record<string, unknown> };
  maxTokens: number;
  signal?: AbortSignal | undefined;
}

/** Stored before it is parsed. */
export interface ChatReply {
  text: string;
  /** Whether the server cut the reply off at `maxTokens`. */
  truncated: boolean;
  /** Host of the server, or `offline` for the local coach. */
  provider: string;
  model: string;
  promptTokens: number;
  completionTokens: number;
  latencyMs: number;
}

/** @throws {LlmError} of jobs/llm/error.ts: `retryable` says whether a retry can help, `retryAfterMs` is the server's wish. */
export interface ChatModel {
  chat(request: ChatRequest): Promise<ChatReply>;
}

export interface Embeddings {
  /** One vector per text, in order. */
  vectors: number[][];
  provider: string;
  model: string;
  promptTokens: number;
  latencyMs: number;
}

/** @throws {LlmError} as `ChatModel` does. */
export interface EmbeddingModel {
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Embeddings>;
}
