/** The task that caches recommended practices per user. */
import { Type } from 'typebox';
import { Refreshed, refreshEveryone, refreshOne } from './refresh.ts';
import { defineTask } from '../define.ts';
import { assertMayTouch } from '../common/owner.ts';

/** Covers one user, or one page of all users. */
const TIME_LIMIT_MS = 60_000;

export const refreshRecommendationCache = defineTask({
  name: 'refresh_recommendation_cache',
  queue: 'ai_tasks',
  payload: Type.Object({
    /** External id. Default: all users. */
    userId: Type.Optional(Type.String({ format: 'uuid' })),
  }),
  result: Refreshed,
  maxRetries: 5,
  backoff: { delayMs: 10_000, factor: 2, jitter: 'full', maxMs: 600_000 },
  softTimeLimitMs: TIME_LIMIT_MS - 10_000,
  timeLimitMs: TIME_LIMIT_MS,
  async run({ userId }, ctx) {
    if (userId === undefined) return refreshEveryone(ctx, TIME_LIMIT_MS);
    assertMayTouch(ctx, [userId]);
    return refreshOne(userId, ctx);
  },
});
