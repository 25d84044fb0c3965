/** The response for an accepted task. */
import type { FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import type { Accepted } from '../../db/tasks/request.ts';
import type { AcceptedBody } from './schemas.ts';

/** Responds 202 with the URL of the task. */
export function answerAccepted(
  reply: Pick<FastifyReply, 'code' | 'headers'>,
  { id, status }: Pick<Accepted, 'id' | 'status'>,
): Static<typeof AcceptedBody> {
  const statusUrl = `/tasks/${id}`;
  reply.code(202).headers({ location: statusUrl, 'retry-after': 1 });
  return { task_id: id, status, status_url: statusUrl };
}
