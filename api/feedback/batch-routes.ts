/** Route to request the feedback of many practices at once. */
import { Type } from 'typebox';
import { AppError } from '../../base/errors.ts';
import { writeFeedbackOn } from '../../jobs/feedback/call.ts';
import { checkEligibility } from '../../jobs/feedback/eligibility.ts';
import { group } from '../../jobs/framework/canvas/combinators.ts';
import type { Signature } from '../../jobs/framework/signature.ts';
import type { RouteContext } from '../context.ts';
import { principalOf } from '../http/auth.ts';
import type { Api } from '../http/api.ts';
import { EXAMPLE_PRACTICE, errorResponses, Locale, UUID_PATTERN } from '../http/schemas.ts';
import { answerAcceptedGroup } from '../tasks/accepted.ts';
import { AcceptedGroupBody } from '../tasks/group-schemas.ts';
import { IdempotencyHeaders } from '../tasks/schemas.ts';
import { readOwnPractice } from './readers.ts';

const BatchRequest = Type.Object(
  {
    practice_ids: Type.Array(Type.String({ pattern: UUID_PATTERN }), {
      minItems: 1,
      maxItems: 100,
      description: 'External ids of practices.',
    }),
    locale: Type.Optional(Locale("Language of the feedback. Default: the owner's preferred one.")),
  },
  { additionalProperties: false, examples: [{ practice_ids: [EXAMPLE_PRACTICE] }] },
);

export function batchFeedbackRoutes(app: Api, context: RouteContext): void {
  const { config, tasks, readers, backlog } = context;

  app.route({
    method: 'POST',
    url: '/practices/feedback',
    config: { callsModel: true },
    schema: {
      operationId: 'requestFeedbackOfMany',
      summary: 'Request AI feedback on several finished practices',
      description:
        'Returns 202 with a group that has one task for each practice, or an error with the practice it is about, and then requests nothing. Feedback that is there already or being written is not written again.',
      tags: ['feedback'],
      headers: IdempotencyHeaders,
      body: BatchRequest,
      response: {
        202: AcceptedGroupBody,
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
      const { practice_ids: asked, locale } = request.body;
      const ids = [...new Set(asked.map((id) => id.toLowerCase()))];
      const calls = await Promise.all(
        ids.map((id) => about(id, () => callFor(id, userId, locale))),
      );
      const { id } = await tasks.enqueue(group(calls), {
        userId,
        idempotencyKey: request.headers['idempotency-key'],
        keyedRequest: JSON.stringify({ ids, locale }),
      });
      return answerAcceptedGroup(reply, id, calls.length);
    },
  });

  async function callFor(
    id: string,
    userId: string,
    locale: 'zh-TW' | 'en' | undefined,
  ): Promise<Signature> {
    const material = await readOwnPractice(readers, id, userId);
    checkEligibility(material, config);
    return writeFeedbackOn(material, locale ?? material.owner.preferredLocale, config);
  }
}

/** Adds the practice to what is refused. */
async function about<T>(practiceId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    const details = { ...(error.details as object | undefined), practice_id: practiceId };
    throw new AppError(error.code, { message: error.message, details, cause: error });
  }
}
