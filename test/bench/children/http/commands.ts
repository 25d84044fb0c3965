/**
 * What a measured server and the process that asks it can be told to do.
 */
export interface ServerPlace {
  databaseUrl: string;
  redisUrl: string;
  /** Signs the tokens. */
  secret: string;
}

export interface ServerCommands {
  /** @returns the URL it listens on. */
  listen(args: ServerPlace): string;
}

export interface Target {
  path: string;
  /** Value of the `Authorization` header. */
  authorization: string;
}

export interface LoadCommands {
  /** Asks for the targets in turn, from the first again after the last, on connections that stay open. */
  load(args: Load): LoadSpan;
}

export interface Load {
  origin: string;
  method: 'GET' | 'POST';
  targets: readonly Target[];
  requests: number;
  connections: number;
  /** What every request must be answered with. */
  status: number;
}

export interface LoadSpan {
  /** `monotonicMs()` */
  startMs: number;
  endMs: number;
}
