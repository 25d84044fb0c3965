/**
 * Shares the server among accounts: few requests of one are under way at a time, and others of it wait for them, with their bodies unread.
 * Otherwise one account could hold every connection to Postgres and most of each turn of the event loop.
 */
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A request may wait for something else to happen, and takes no place meanwhile or before. Default false. */
    longPolls?: boolean;
  }
}

/** To be called after `requirePrincipals`. @param most requests of one account that are under way. */
export function shareFairly(app: FastifyInstance, most: number): void {
  const accounts = new Map<string, Places>();
  app.addHook('onRequest', ({ principal, routeOptions }, reply, done) => {
    if (principal === null || routeOptions.config.longPolls === true) return done();
    const { userId } = principal;
    const places = accounts.get(userId) ?? new Places(most);
    accounts.set(userId, places);
    reply.raw.once('close', () => {
      places.leave(done);
      if (places.isEmpty) accounts.delete(userId);
    });
    places.enter(done);
  });
}

/** First come, first served. */
class Places {
  #free: number;
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#free === this.#most;
  }

  /** Calls `start` once there is a place. */
  enter(start: () => void): void {
    if (this.#free === 0) this.#waiting.push(start);
    else {
      this.#free--;
      start();
    }
  }

  /** Gives the place of `start` to the next, or gives up waiting for one. */
  leave(start: () => void): void {
    const turn = this.#waiting.indexOf(start);
    if (turn !== -1) return void this.#waiting.splice(turn, 1);
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
