/**
 * Shares the server among accounts: few requests of one are under way at a time, and others of it wait for them, with their bodies unread.
 * Otherwise one account could hold every connection to Postgres and most of each turn of the event loop.
 */
import { finished } from 'node:stream';
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
  app.addHook('onRequest', async ({ principal, routeOptions }, reply) => {
    if (principal === null || routeOptions.config.longPolls === true) return;
    const { userId } = principal;
    const places = accounts.get(userId) ?? new Places(most);
    accounts.set(userId, places);
    const taken = places.take();
    const leave = (): void => {
      places.leave();
      if (places.isEmpty) accounts.delete(userId);
    };
    // A client may be gone before it has its place.
    finished(reply.raw, () => void taken.then(leave));
    await taken;
  });
}

/** Whoever comes first is served first. */
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

  /** Resolves once there is a place, which `leave` gives back. */
  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
