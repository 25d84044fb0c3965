/**
 * What a queue must offer to be measured. Every row is written once, on these interfaces, and runs unchanged on each
 * side, so that a difference between two numbers is a difference between two queues.
 */
export type PeerName = 'ours' | 'bullmq';

export interface Place {
  /** Redis. */
  url: string;
  /** Name of the queue; the first part of its keys too, so that two names share nothing. */
  queue: string;
}

/** What travels: an object for the caller and for the handler, JSON in between. Each side pays for both conversions. */
export interface Payload {
  /** `monotonicMs()` when it was sent or is due, of fixed width. */
  atMs: string;
  practiceId: string;
  note: string;
}

/** What every handler returns; each side turns it into JSON. */
export const RESULT = { ok: true };

export interface Producer {
  add(payload: Payload, delayMs?: number): Promise<unknown>;
  /** The fastest way this queue has to add jobs that are all there. */
  addBulk(payloads: Payload[], delayMs?: number): Promise<unknown>;
  close(): Promise<void>;
}

export interface ConsumerOptions {
  concurrency: number;
  /** Called when the handler of a job starts. */
  started(payload: Payload): void;
}

export interface Consumer {
  /** Starts to take jobs. */
  start(): Promise<void>;
  /**
   * Resolves once this many handlers have ended and Redis has acknowledged the end of each.
   * @returns `monotonicMs()` of that moment.
   */
  settled(jobs: number): Promise<number>;
  close(): Promise<void>;
}

export interface Peer {
  openProducer(place: Place): Promise<Producer>;
  openConsumer(place: Place, options: ConsumerOptions): Promise<Consumer>;
  /** A consumer whose handlers run in worker threads. */
  openThreads(place: Place, options: ThreadOptions): Promise<Consumer>;
}

export interface ThreadOptions {
  threads: number;
  /** `bare`: a handler alone; `task`: everything around a task of the application too. */
  path: 'bare' | 'task';
}

/** Milliseconds on a clock that all processes of this machine share; `performance.now()` starts anew in each of them. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const PAYLOAD_BYTES = 356;
const EMPTY: Payload = {
  atMs: ''.padStart(16, '0'),
  practiceId: '0b54b3f4-6a44-4c39-9d0c-6d1f0f6a8a01',
  note: '',
};
const NOTE = 'n'.repeat(PAYLOAD_BYTES - JSON.stringify(EMPTY).length);

/** A payload of 356 bytes of JSON. */
export function makePayload(atMs = 0): Payload {
  return { ...EMPTY, atMs: atMs.toFixed(3).padStart(16, '0'), note: NOTE };
}
