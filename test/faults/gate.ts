/**
 * The gate: a TCP proxy between one process and one of its stores. It takes the stream apart into requests and replies, asks
 * what is to become of each, and otherwise passes them on unchanged.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Connection } from './connection.ts';
import type { Framer, Request } from './framers/framer.ts';

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

export interface GateOptions {
  /** `redis://`, `postgres://` or `http://` with host and port. */
  target: string;
  framer(): Framer;
  judge: Judge;
}

export class Gate {
  readonly #server: Server;
  readonly #options: GateOptions;
  readonly #connections = new Set<Connection>();
  #target: URL;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#target = new URL(options.target);
    this.#server = createServer({ noDelay: true, allowHalfOpen: false }, (client) =>
      this.#accept(client),
    );
  }

  /** @returns the URL of the store through this gate. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href.replace(/\/$/, '');
  }

  /** Where new connections lead. */
  set target(target: string) {
    this.#target = new URL(target);
  }

  /** Connections the process has not ended. */
  get connections(): number {
    return [...this.#connections].filter(({ isOpen }) => isOpen).length;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const connection of this.#connections) connection.end();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const upstream = connect({
      host: this.#target.hostname,
      port: Number(this.#target.port),
      noDelay: true,
    });
    const { framer, judge } = this.#options;
    const connection = new Connection(client, upstream, framer(), judge, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
  }
}
