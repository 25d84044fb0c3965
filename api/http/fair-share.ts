/**
 * Shares the server among accounts: few requests of one are under way at a time, and others of it wait for them, with their bodies unread.
 * Otherwise one account could hold every connection to Postgres and most of each turn of the event loop.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { LARGE_BYTES } from './body.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A request may wait for something else to happen, and takes no place meanwhile or before. Default false. */
    longPolls?: boolean;
  }
}

/** Least time between two large bodies of an account, in milliseconds: reading one costs the event loop most of what a request may cost. */
const REST_MS = 100;

/** To be called after `requirePrincipals`. @param most requests of one account that are under way; one with a large body takes all places. */
export function shareFairly(app: FastifyInstance, most: number): void {
  const accounts = new Map<string, Places>();
  app.addHook('onRequest', ({ principal, routeOptions, headers }, reply, start) => {
    if (principal === null || routeOptions.config.longPolls === true) return start();
    const { userId } = principal;
    const places = accounts.get(userId) ?? new Places(most);
    accounts.set(userId, places);
    const visit = { start, takes: mayBeLarge(headers) ? most : 1 };
    reply.raw.once('close', () => places.leave(visit, () => accounts.delete(userId)));
    places.enter(visit);
  });
}

/** Whether the body is large, or of a length that is not told. */
function mayBeLarge(headers: IncomingHttpHeaders): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers;
  return coding !== undefined || Number(length) > LARGE_BYTES;
}

interface Visit {
  start(): void;
  /** Number of places. */
  takes: number;
}

/** First come, first served. */
class Places {
  #free: number;
  readonly #most: number;
  readonly #waiting: Visit[] = [];
  /** Set while the account rests from a large body. */
  #rest: NodeJS.Timeout | undefined;

  constructor(most: number) {
    this.#free = most;
    this.#most = most;
  }

  /** @param idle called each time nothing is under way, waits or rests any more. */
  leave(visit: Visit, idle: () => void): void {
    const turn = this.#waiting.indexOf(visit);
    if (turn === -1) this.#end(visit, idle);
    else this.#waiting.splice(turn, 1);
    this.#advance(idle);
  }

  /** Starts the visit once there is room for it. */
  enter(visit: Visit): void {
    this.#waiting.push(visit);
    this.#admit();
  }

  #end({ takes }: Visit, idle: () => void): void {
    this.#free += takes;
    if (takes < this.#most) return;
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      this.#advance(idle);
    }, REST_MS).unref();
  }

  #advance(idle: () => void): void {
    this.#admit();
    if (this.#free === this.#most && this.#rest === undefined) idle();
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next && this.#hasRoom(next); [next] = this.#waiting) {
      this.#waiting.shift();
      this.#free -= next.takes;
      next.start();
    }
  }

  #hasRoom({ takes }: Visit): boolean {
    return takes <= this.#free && (takes < this.#most || this.#rest === undefined);
  }
}
