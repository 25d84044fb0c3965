/**
 * A message that passes the gate between a process and a store, and who judges it.
 */
import type { Request } from './framers/framer.ts';

export type Store = 'redis' | 'pg' | 'llm';
export type Role = 'api' | 'worker' | 'scheduler';

/** One request and its reply on their way. */
export interface Passage {
  readonly request: Request;
  /** What was answered so far. */
  readonly reply: Buffer;
  /** Passes on what is held: the request to the store, or the reply to the process. */
  pass(): void;
  /** Answers in place of the store, which never hears of the request. */
  refuse(word?: string): void;
  /** Breaks the connection of the process; the store sees it end. */
  reset(): void;
  /** From now on nothing reaches the process, and the connection stays. Resolves once the process gives it up. */
  mute(): Promise<void>;
  /** Keeps the connection to the store, whatever becomes of the process. */
  keep(): void;
  /**
   * Sends what is held to the store, though nobody waits for the answer. @returns whether the store answered; it may have ended
   * the connection meanwhile. The connection ends with it.
   */
  deliver(): Promise<boolean>;
}

/** What is to become of a request or reply: it passes, or it is held and somebody is told. */
export type Verdict = 'pass' | 'watch' | ((passage: Passage) => void);

/** Judges what passes. `watch`: wants to see the reply before it is passed on. */
export interface Judge {
  request(request: Request): Verdict;
  reply(request: Request, reply: Buffer): Verdict;
}
