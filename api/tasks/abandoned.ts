/** Ends a long poll early. */
import type { FastifyReply } from 'fastify';

/** Aborted when the connection has closed or the server is closing. */
export function abandoned(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort();
  reply.raw.once('close', abort);
  if (closing.aborted || reply.raw.destroyed) abort();
  else closing.addEventListener('abort', abort, { signal: controller.signal });
  return controller.signal;
}
