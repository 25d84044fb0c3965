/** Follows accepted work, at once or as a long poll that ends when the task does, and revokes it. */
import { AppError, ERRORS } from '../../base/errors.ts';
import type { TaskClient } from '../../jobs/framework/calls/client.ts';
import type { TaskView } from '../../jobs/framework/calls/result.ts';
import { owns, principalOf, type Principal } from '../http/auth.ts';
import type { Api } from '../http/api.ts';
import { errorResponses } from '../http/schemas.ts';
import { abandoned } from './abandoned.ts';
import { TaskBody, TaskParams, TaskQuery } from './schemas.ts';

const REFUSALS = errorResponses(
  'REQUEST_INVALID',
  'UNAUTHENTICATED',
  'TASK_NOT_FOUND',
  'STORE_UNAVAILABLE',
);

export interface TaskRoutesOptions {
  tasks: Pick<TaskClient, 'find' | 'waitUntilFinished' | 'revoke'>;
  /** Aborted when the server begins to close. */
  closing: AbortSignal;
}

export function taskRoutes(app: Api, { tasks, closing }: TaskRoutesOptions): void {
  app.route({
    method: 'GET',
    url: '/tasks/:id',
    config: { longPolls: true },
    schema: {
      operationId: 'getTask',
      summary: 'Follow a task',
      description: 'With wait, answers as soon as the task is finished or the time is up.',
      tags: ['tasks'],
      params: TaskParams,
      querystring: TaskQuery,
      response: { 200: TaskBody, ...REFUSALS },
    },
    handler: async (request, reply) => {
      const principal = principalOf(request);
      const { id } = request.params;
      const waitMs = (request.query.wait ?? 0) * 1000;
      const task = await readOwnTask(id, principal);
      if (waitMs === 0 || task.finished_at !== null) return taskBody(task);
      await tasks.waitUntilFinished(task.id, waitMs, abandoned(reply, closing));
      return taskBody(await readOwnTask(id, principal));
    },
  });

  app.route({
    method: 'DELETE',
    url: '/tasks/:id',
    schema: {
      operationId: 'revokeTask',
      summary: 'Revoke a task',
      description:
        'A waiting task never starts. A running task is told to stop, and its later effects are discarded. A task that had ended stays as it was. The answer is the task afterwards.',
      tags: ['tasks'],
      params: TaskParams,
      response: { 200: TaskBody, ...REFUSALS, ...errorResponses('ORIGIN_FORBIDDEN') },
    },
    handler: async (request) => {
      const principal = principalOf(request);
      const { id } = await readOwnTask(request.params.id, principal);
      await tasks.revoke(id);
      return taskBody(await readOwnTask(id, principal));
    },
  });

  /** Another user's task is not found, as if it never existed. A task without a user belongs to the admins. */
  async function readOwnTask(id: string, principal: Principal): Promise<TaskView> {
    const task = await tasks.find(id.toLowerCase());
    if (task === undefined || !owns(principal, task.user_id)) throw new AppError('TASK_NOT_FOUND');
    return task;
  }
}

function taskBody(task: TaskView) {
  return {
    task_id: task.id,
    name: task.name,
    status: task.status,
    state: task.state,
    attempts: task.attempts,
    progress: task.progress,
    result: task.result ?? null,
    // A task that waits for a retry keeps its last failure in the row; shown here, it would read as the outcome.
    error:
      task.status === 'error' || task.status === 'revoked'
        ? {
            code: task.error_code ?? 'TASK_FAILED',
            message: task.error_message ?? ERRORS.TASK_FAILED.message,
          }
        : null,
    created_at: task.created_at.toISOString(),
    started_at: task.started_at?.toISOString() ?? null,
    finished_at: task.finished_at?.toISOString() ?? null,
  };
}
