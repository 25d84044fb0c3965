/** Routes to read and refresh recommendations. */
import { refreshCardsOf } from '../../jobs/recommendations/call.ts';
import { answerAccepted } from '../tasks/accepted.ts';
import { principalOf } from '../http/auth.ts';
import { DEFAULT_LIMIT, RecommendationsBody, RecommendationsQuery } from './schemas.ts';
import { readPage } from './page.ts';
import type { RouteContext } from '../context.ts';
import type { Api } from '../http/api.ts';
import { AcceptedBody } from '../tasks/schemas.ts';
import { errorResponses } from '../http/schemas.ts';

export function recommendationRoutes(app: Api, context: RouteContext): void {
  const { tasks, backlog } = context;

  app.route({
    method: 'GET',
    url: '/users/me/recommendations',
    config: { optional: true },
    schema: {
      operationId: 'getRecommendations',
      summary: 'Read the recommended practices of other users',
      description:
        'Without a token the list is empty, and X-Auth-State is anonymous. Only currently visible practices are returned.',
      tags: ['recommendations'],
      querystring: RecommendationsQuery,
      response: {
        200: RecommendationsBody,
        ...errorResponses('REQUEST_INVALID', 'UNAUTHENTICATED', 'STORE_UNAVAILABLE'),
      },
    },
    handler: async (request, reply) => {
      const page = await readPage(context, request, reply, DEFAULT_LIMIT.recommendations);
      return {
        items: page.cards.map(({ card, reason, reasonText }) => ({
          practice_id: card.id,
          title: card.title,
          description: card.description,
          creator: { id: card.creatorId, name: card.creatorName },
          tags: card.tags,
          reason,
          reason_text: reasonText,
          liked: card.isLiked,
        })),
        next_cursor: page.nextCursor,
        source: page.source,
      };
    },
  });

  app.route({
    method: 'POST',
    url: '/users/me/recommendations/refresh',
    schema: {
      operationId: 'refreshRecommendations',
      summary: 'Refresh the recommendations of the user',
      tags: ['recommendations'],
      response: {
        202: AcceptedBody,
        ...errorResponses(
          'UNAUTHENTICATED',
          'ORIGIN_FORBIDDEN',
          'STORE_UNAVAILABLE',
          'BACKLOG_FULL',
        ),
      },
    },
    handler: async (request, reply) => {
      backlog.assertRoom();
      const { userId } = principalOf(request);
      return answerAccepted(reply, await tasks.enqueue(refreshCardsOf(userId)));
    },
  });
}
