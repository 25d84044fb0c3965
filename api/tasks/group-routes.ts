/** Follows groups of tasks, at once or as a long poll that ends when the group does, and revokes them. */
import { AppError, ERRORS } from '../../base/errors.ts';
import type { Graphs, GraphView } from '../../jobs/framework/calls/graphs.ts';
import { owns, principalOf, type Principal } from '../http/auth.ts';
import type { Api } from '../http/api.ts';
import { errorResponses } from '../http/schemas.ts';
import { abandoned } from './abandoned.ts';
import { GroupBody, GroupParams } from './group-schemas.ts';
import { TaskQuery } from './schemas.ts';

const REFUSALS = errorResponses(
  'REQUEST_INVALID',
  'UNAUTHENTICATED',
  'GROUP_NOT_FOUND',
  'STORE_UNAVAILABLE',
);

/** Of larger groups, the tasks have their results. */
const MOST_RESULT_BYTES = 1024 * 1024;

export interface GroupRoutesOptions {
  tasks: { graphs: Graphs };
  /** Aborted when the server begins to close. */
  closing: AbortSignal;
}

export function groupRoutes(app: Api, { tasks: { graphs }, closing }: GroupRoutesOptions): void {
  app.route({
    method: 'GET',
    url: '/groups/:id',
    config: { longPolls: true },
    schema: {
      operationId: 'getGroup',
      summary: 'Follow a group of tasks',
      description: 'With wait, answers as soon as the group is finished or the time is up.',
      tags: ['tasks'],
      params: GroupParams,
      querystring: TaskQuery,
      response: { 200: GroupBody, ...REFUSALS },
    },
    handler: async (request, reply) => {
      const principal = principalOf(request);
      const waitMs = (request.query.wait ?? 0) * 1000;
      const { id, finished_at: finishedAt } = await readOwnGroup(request.params.id, principal);
      if (waitMs > 0 && finishedAt === null) {
        await graphs.waitUntilFinished(id, waitMs, abandoned(reply, closing));
      }
      return groupBody(await readOwnGroup(id, principal));
    },
  });

  app.route({
    method: 'DELETE',
    url: '/groups/:id',
    schema: {
      operationId: 'revokeGroup',
      summary: 'Revoke a group of tasks',
      description:
        'Tasks that have not run never run, and running ones are told to stop. The answer is the group afterwards.',
      tags: ['tasks'],
      params: GroupParams,
      response: { 200: GroupBody, ...REFUSALS, ...errorResponses('ORIGIN_FORBIDDEN') },
    },
    handler: async (request) => {
      const principal = principalOf(request);
      const { id } = await readOwnGroup(request.params.id, principal);
      await graphs.revoke(id);
      return groupBody(await readOwnGroup(id, principal));
    },
  });

  /** Another user's group is not found, as if it never existed. A group without a user belongs to the admins. */
  async function readOwnGroup(id: string, principal: Principal): Promise<GraphView> {
    const group = await graphs.find(id);
    if (group === undefined || !owns(principal, group.user_id))
      throw new AppError('GROUP_NOT_FOUND');
    return group;
  }

  async function groupBody(group: GraphView) {
    const [tasks, result] = await Promise.all([
      graphs.tasks(group.id),
      group.resultBytes > MOST_RESULT_BYTES ? null : graphs.result(group.id).partial(),
    ]);
    const { waiting = 0, queued = 0, running = 0, done = 0, error = 0, revoked = 0 } = group.counts;
    return {
      group_id: group.id,
      status: group.status,
      counts: { waiting, queued, running, done, error, revoked },
      tasks: tasks.map(({ id, name, status, subject }) => ({ task_id: id, name, status, subject })),
      result,
      error: errorOf(group),
      created_at: group.created_at.toISOString(),
      finished_at: group.finished_at?.toISOString() ?? null,
    };
  }
}

function errorOf({ status, error_code: code, error_message: message }: GraphView) {
  if (status === 'revoked') return { code: 'TASK_REVOKED', message: ERRORS.TASK_REVOKED.message };
  if (status !== 'error') return null;
  return { code: code ?? 'TASK_FAILED', message: message ?? ERRORS.TASK_FAILED.message };
}
