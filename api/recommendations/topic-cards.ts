/** Recommendations for DaoDao's front end, in the envelope only. */
import { isShownTo } from '../../db/daodao/cards.ts';
import { giveVerdict, type Verdict } from '../../db/daodao/likes.ts';
import { AppError } from '../../base/errors.ts';
import { principalOf } from '../http/auth.ts';
import {
  DEFAULT_LIMIT,
  TopicCardsBody,
  TopicCardsQuery,
  VerdictBody,
  VerdictParams,
  VerdictRequest,
} from './schemas.ts';
import { readPage } from './page.ts';
import type { RouteContext } from '../context.ts';
import type { Api } from '../http/api.ts';
import { errorResponses } from '../http/schemas.ts';

const STATES = { like: 'liked', dislike: 'disliked' } as const;

export function topicCardRoutes(app: Api, context: RouteContext): void {
  app.route({
    method: 'GET',
    url: '/recommendation/topic_cards',
    config: { optional: true },
    schema: {
      operationId: 'getTopicCards',
      summary: 'Read the cards of recommended practices',
      tags: ['recommendations'],
      querystring: TopicCardsQuery,
      response: {
        200: TopicCardsBody,
        ...errorResponses('REQUEST_INVALID', 'UNAUTHENTICATED', 'STORE_UNAVAILABLE'),
      },
    },
    handler: async (request, reply) => {
      const page = await readPage(context, request, reply, DEFAULT_LIMIT.topicCards);
      return page.cards.map(({ card, reason, reasonText }) => ({
        practiceId: card.id,
        targetId: card.targetId,
        title: card.title,
        description: card.description,
        creator: { id: card.creatorId, name: card.creatorName, photo_url: null },
        tags: card.tags,
        matchReasonCode: reason,
        matchReasonText: reasonText,
        feedbackState: card.isLiked ? ('liked' as const) : ('neutral' as const),
        isAiGenerated: page.source === 'personal',
      }));
    },
  });

  app.route({
    method: 'POST',
    url: '/recommendation/topic_cards/:practiceId/feedback',
    schema: {
      operationId: 'giveVerdict',
      summary: 'Like or dislike a card',
      description:
        'A disliked card disappears everywhere at once; repeating a verdict withdraws it.',
      tags: ['recommendations'],
      params: VerdictParams,
      body: VerdictRequest,
      response: {
        200: VerdictBody,
        ...errorResponses(
          'REQUEST_INVALID',
          'UNAUTHENTICATED',
          'ORIGIN_FORBIDDEN',
          'PRACTICE_NOT_SHOWN',
          'VERDICT_UNSUPPORTED',
          'STORE_UNAVAILABLE',
        ),
      },
    },
    handler: async (request) => {
      const { userId } = principalOf(request);
      const practiceId = request.params.practiceId.toLowerCase();
      const { feedbackType } = request.body;
      if (!isVerdict(feedbackType)) throw new AppError('VERDICT_UNSUPPORTED');
      if (!(await isShownTo(context.db, userId, practiceId))) {
        throw new AppError('PRACTICE_NOT_SHOWN');
      }
      const verdict = await giveVerdict(context.db, userId, practiceId, feedbackType);
      return {
        practiceId,
        feedbackState: verdict === undefined ? ('neutral' as const) : STATES[verdict],
      };
    },
  });
}

function isVerdict(word: string): word is Verdict {
  return word === 'like' || word === 'dislike';
}
