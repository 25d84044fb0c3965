/** The responses for an accepted task and an accepted group. */
import type { FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import type { Accepted } from '../../db/tasks/request.ts';
import type { AcceptedGroupBody } from './group-schemas.ts';
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

/** Responds 202 with the URL of the group. @param tasks how many it has. */
export function answerAcceptedGroup(
  reply: Pick<FastifyReply, 'code' | 'headers'>,
  id: string,
  tasks: number,
): Static<typeof AcceptedGroupBody> {
  const statusUrl = `/groups/${id}`;
  reply.code(202).headers({ location: statusUrl, 'retry-after': 1 });
  return { group_id: id, tasks, status_url: statusUrl };
}
