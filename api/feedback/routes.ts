/** Routes to request and read the feedback of a practice. */
import { withOptions } from '../../jobs/framework/signature.ts';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Feedback } from '../../db/daodao/feedback.ts';
import { AppError } from '../../base/errors.ts';
import { writeFeedbackOn } from '../../jobs/feedback/call.ts';
import { checkEligibility } from '../../jobs/feedback/eligibility.ts';
import { answerAccepted } from '../tasks/accepted.ts';
import { principalOf } from '../http/auth.ts';
import type { RouteContext } from '../context.ts';
import type { Api } from '../http/api.ts';
import { readOwnPractice } from './readers.ts';
import { AcceptedBody, IdempotencyHeaders } from '../tasks/schemas.ts';
import { errorResponses } from '../http/schemas.ts';
import { FeedbackBody, FeedbackRequest, PracticeParams } from './schemas.ts';

export function feedbackRoutes(app: Api, context: RouteContext): void {
  const { config, tasks, readers, backlog } = context;

  app.route({
    method: 'POST',
    url: '/practices/:id/feedback',
    config: { callsModel: true },
    schema: {
      operationId: 'requestFeedback',
      summary: 'Request AI feedback on a finished practice',
      description:
        'Returns 202 with the task that writes the feedback, or 200 with existing feedback when the practice has not changed since. New feedback is limited per person and day.',
      tags: ['feedback'],
      params: PracticeParams,
      headers: IdempotencyHeaders,
      body: FeedbackRequest,
      response: {
        200: FeedbackBody,
        202: AcceptedBody,
        ...errorResponses(
          'REQUEST_INVALID',
          'BODY_MALFORMED',
          'TEXT_NOT_STORABLE',
          'UNAUTHENTICATED',
          'ORIGIN_FORBIDDEN',
          'USER_TEMPORARY',
          'PRACTICE_NOT_FOUND',
          'PRACTICE_NOT_COMPLETED',
          'IDEMPOTENCY_KEY_REUSED',
          'BODY_TOO_LARGE',
          'CONTENT_TYPE_UNSUPPORTED',
          'FEEDBACK_NOT_ENOUGH_CONTENT',
          'QUOTA_EXCEEDED',
          'STORE_UNAVAILABLE',
          'BACKLOG_FULL',
        ),
      },
    },
    handler: async (request, reply) => {
      backlog.assertRoom();
      const { userId } = principalOf(request);
      const material = await readOwnPractice(readers, request.params.id.toLowerCase(), userId);
      checkEligibility(material, config);
      const practiceId = material.practice.externalId;
      const { locale = material.owner.preferredLocale } = request.body;
      const accepted = await tasks.enqueue(
        withOptions(writeFeedbackOn(material, locale, config), {
          idempotencyKey: request.headers['idempotency-key'],
          keyedRequest: JSON.stringify({ practiceId, locale: request.body.locale }),
        }),
      );
      if (accepted.outcome !== 'finished') return answerAccepted(reply, accepted);
      // A repeated key may return feedback in the owner's former language.
      const feedback = await readers.feedback(practiceId, locale);
      return feedbackBody(feedback ?? (await readers.feedback(practiceId)));
    },
  });

  app.route({
    method: 'GET',
    url: '/practices/:id/feedback',
    schema: {
      operationId: 'getFeedback',
      summary: 'Read the newest feedback of a practice',
      tags: ['feedback'],
      params: PracticeParams,
      response: {
        200: FeedbackBody,
        ...errorResponses(
          'REQUEST_INVALID',
          'UNAUTHENTICATED',
          'PRACTICE_NOT_FOUND',
          'FEEDBACK_NOT_FOUND',
          'STORE_UNAVAILABLE',
        ),
      },
    },
    handler: async (request) => {
      const { userId } = principalOf(request);
      const { practice } = await readOwnPractice(readers, request.params.id.toLowerCase(), userId);
      const cached = await readCached(context, practice.externalId);
      return feedbackBody(cached ?? (await readers.feedback(practice.externalId)));
    },
  });
}

const cachedFeedback = Compile(
  Type.Object({
    practiceId: Type.String(),
    text: Type.String(),
    sections: FeedbackBody.properties.sections,
    locale: FeedbackBody.properties.locale,
    provider: Type.String(),
    model: Type.String(),
    taskId: Type.String(),
    version: Type.Integer(),
    createdAt: Type.String(),
  }),
);

/** Ignores invalid entries and an unavailable cache. */
async function readCached(
  { cache }: RouteContext,
  practiceId: string,
): Promise<Feedback | undefined> {
  const entry = await cache.get(`feedback:${practiceId}`).catch(() => undefined);
  const value = entry?.value;
  return cachedFeedback.Check(value) && value.practiceId === practiceId ? value : undefined;
}

function feedbackBody(feedback: Feedback | undefined) {
  if (feedback === undefined) throw new AppError('FEEDBACK_NOT_FOUND');
  return {
    practice_id: feedback.practiceId,
    text: feedback.text,
    sections: feedback.sections,
    locale: feedback.locale,
    provider: feedback.provider,
    model: feedback.model,
    task_id: feedback.taskId,
    version: feedback.version,
    created_at: feedback.createdAt,
  };
}
