/**
 * What a task queue on Postgres must offer to be measured. Every row is written once, on these interfaces.
 */
import type { Payload } from '../peer.ts';
import type { Tally } from '../tally.ts';

export type DurablePeerName = 'ours' | 'pg-boss' | 'graphile-worker';

export interface DurablePlace {
  /** A database of this side alone. */
  databaseUrl: string;
  /** Ours alone uses it. */
  redisUrl: string;
}

/** Connections of each process to Postgres, at most. */
export const CONNECTIONS = 10;

/** Each resolves once the calls are in Postgres. */
export interface DurableClient {
  call(payload: Payload): Promise<unknown>;
  /** Makes calls that are all there in the fastest way this queue has. */
  callMany(payloads: readonly Payload[]): Promise<unknown>;
  /** Makes a call and waits for its end. @returns when each was known, as `monotonicMs()`. */
  follow?(payload: Payload): Promise<{ acceptedMs: number; endedMs: number }>;
}

export interface DurablePeer {
  /** Creates the tables where they are missing. */
  openClient(place: DurablePlace): Promise<DurableClient>;
  /** Takes tasks from now on, and counts the handlers that have ended. */
  openWorker(place: DurablePlace, ended: Tally): Promise<void>;
}
