/** All schedules, in Taipei time, in which DaoDao counts days. */
import { defineSchedule, type Schedule } from './framework/beat/schedule.ts';
import { refreshRecommendationCache } from './recommendations/task.ts';
import { sweepFeedback } from './feedback/sweep-task.ts';
import { updateUserEmbeddings } from './embeddings/task.ts';

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
