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

/** To be called after `requirePrincipals`. @param most requests of one account that are under way; one with a large body takes all places. */
export function shareFairly(app: FastifyInstance, most: number): void {
  const accounts = new Map<string, Places>();
  app.addHook('onRequest', ({ principal, routeOptions, headers }, reply, start) => {
    if (principal === null || routeOptions.config.longPolls === true) return start();
    const { userId } = principal;
    const places = accounts.get(userId) ?? new Places(most);
    accounts.set(userId, places);
    const visit = { start, takes: mayBeLarge(headers) ? most : 1 };
    reply.raw.once('close', () => {
      places.leave(visit);
      if (places.isEmpty) accounts.delete(userId);
    });
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

  constructor(most: number) {
    this.#free = most;
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#free === this.#most;
  }

  /** Starts the visit once there is room for it. */
  enter(visit: Visit): void {
    this.#waiting.push(visit);
    this.#admit();
  }

  /** Gives up the places of the visit, or waiting for them. */
  leave(visit: Visit): void {
    const turn = this.#waiting.indexOf(visit);
    if (turn === -1) this.#free += visit.takes;
    else this.#waiting.splice(turn, 1);
    this.#admit();
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next && next.takes <= this.#free; [next] = this.#waiting) {
      this.#waiting.shift();
      this.#free -= next.takes;
      next.start();
    }
  }
}
