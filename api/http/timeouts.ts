/** Timeouts of the server; the framework's defaults are "none". */
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../base/errors.ts';

/** Longest long-poll. */
export const MAX_WAIT_SECONDS = 20;

/** To receive the headers. */
export const HEADERS_TIMEOUT_MS = 10_000;

/** To receive a whole request. */
export const REQUEST_TIMEOUT_MS = 15_000;

/** For a handler to answer: longer than any long-poll. */
export const HANDLER_TIMEOUT_MS = (MAX_WAIT_SECONDS + 10) * 1000;

/** For an idle socket: longer than any handler. */
export const CONNECTION_TIMEOUT_MS = HANDLER_TIMEOUT_MS + 5000;

/** For the next request on a connection: a proxy, usually at one minute, then closes first. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/**
 * Answers a handler timeout with 503 `ANSWER_TIMEOUT`. Fastify's `handlerTimeout` (5.12) stops once the body has been
 * read.
 */
export function limitHandlers(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    const timer = setTimeout(() => {
      if (!reply.sent) reply.send(new AppError('ANSWER_TIMEOUT', { retryAfterSeconds: 1 }));
    }, HANDLER_TIMEOUT_MS);
    reply.raw.once('close', () => clearTimeout(timer));
    done();
  });
}
