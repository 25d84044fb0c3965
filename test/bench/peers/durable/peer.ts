/**
 * What a queue of durable tasks, or one that composes tasks, must offer to be measured. Every row is written once, on these interfaces.
 */
import type { Payload } from '../peer.ts';
import type { Tally } from '../tally.ts';

export type DurablePeerName = 'ours' | 'pg-boss' | 'graphile-worker' | 'bullmq';

export interface DurablePlace {
  /** A database of this side alone. */
  databaseUrl: string;
  /** For those that use one. */
  redisUrl: string;
}

/** Connections of each process to Postgres, at most. */
export const CONNECTIONS = 10;

/** What a queue cannot do, or is not measured at, is left out. */
export interface DurableClient {
  /** Resolves once the call is in Postgres. */
  call?(payload: Payload): Promise<unknown>;
  /** Makes calls that are all there in the fastest way this queue has. */
  callMany?(payloads: readonly Payload[]): Promise<unknown>;
  /** Runs this many tasks side by side, then one that waits for all of them. Resolves once the end of that one is known. */
  chord?(payload: Payload, members: number): Promise<void>;
  /** Makes a call and waits for its end. @returns when each was known, as `monotonicMs()`. */
  follow?(payload: Payload): Promise<{ acceptedMs: number; endedMs: number }>;
}

export interface DurablePeer {
  /** Creates the tables where they are missing. */
  openClient(place: DurablePlace): Promise<DurableClient>;
  /** Takes tasks from now on, and counts the handlers that have ended. */
  openWorker(place: DurablePlace, ended: Tally): Promise<void>;
}
