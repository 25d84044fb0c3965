/**
 * Every schedule there is. Times are those of Taipei, where DaoDao's days begin.
 */
import { defineSchedule, type Schedule } from './beat/schedule.ts';
import { refreshRecommendationCache } from './tasks/refresh-recommendation-cache.ts';
import { sweepFeedback } from './tasks/sweep-feedback.ts';
import { updateUserEmbeddings } from './tasks/update-user-embeddings.ts';

export const SCHEDULES: readonly Schedule[] = [
  defineSchedule({ name: 'sweep-feedback', cron: '0 1 * * *', call: sweepFeedback.s({}) }),
  defineSchedule({
    name: 'refresh-recommendations',
    cron: '0 2 * * *',
    call: refreshRecommendationCache.s({}),
  }),
  defineSchedule({
    name: 'update-embeddings',
    cron: '0 * * * *',
    call: updateUserEmbeddings.s({}),
  }),
];
