/** Every wait of the server has an end. The framework's own defaults are "none". */
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../base/errors.ts';

/** Longest long-poll, in seconds. */
export const MAX_WAIT_SECONDS = 20;

/** For the headers to arrive, in ms. */
export const HEADERS_TIMEOUT_MS = 10_000;

/** For a whole request to arrive, in ms. */
export const REQUEST_TIMEOUT_MS = 15_000;

/** For a handler to answer, in ms: longer than any long-poll. */
export const HANDLER_TIMEOUT_MS = (MAX_WAIT_SECONDS + 10) * 1000;

/** For a socket on which nothing moves, in ms: longer than any handler. */
export const CONNECTION_TIMEOUT_MS = HANDLER_TIMEOUT_MS + 5000;

/** For the next request of a kept connection, in ms: longer than the usual minute of a proxy, which then closes first. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/**
 * Answers 503 `ANSWER_TIMEOUT` for a handler that does not.
 * Fastify's `handlerTimeout` is no help (5.12): it is disarmed once the body of a request has been read.
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
