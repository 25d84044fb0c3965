/** Route to request new vectors of the user and their practices. */
import { updateVectorsOf } from '../../jobs/embeddings/call.ts';
import { answerAccepted } from '../tasks/accepted.ts';
import { principalOf } from '../http/auth.ts';
import type { RouteContext } from '../context.ts';
import type { Api } from '../http/api.ts';
import { AcceptedBody } from '../tasks/schemas.ts';
import { errorResponses } from '../http/schemas.ts';

export function embeddingRoutes(app: Api, { config, tasks, backlog }: RouteContext): void {
  app.route({
    method: 'POST',
    url: '/users/me/embeddings',
    config: { callsModel: true },
    schema: {
      operationId: 'updateEmbeddings',
      summary: 'Report that goals, profile or practices have changed',
      description:
        'Returns 202 with the task that updates the vectors. Changes within half a minute of each other share one task.',
      tags: ['recommendations'],
      response: {
        202: AcceptedBody,
        ...errorResponses(
          'UNAUTHENTICATED',
          'ORIGIN_FORBIDDEN',
          'USER_TEMPORARY',
          'STORE_UNAVAILABLE',
          'BACKLOG_FULL',
        ),
      },
    },
    handler: async (request, reply) => {
      backlog.assertRoom();
      const { userId } = principalOf(request);
      return answerAccepted(reply, await tasks.enqueue(updateVectorsOf(userId, config)));
    },
  });
}
