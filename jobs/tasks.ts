/**
 * Every task of DaoDao. Importing this loads no client of any store or model.
 */
import { Tasks } from './framework/tasks.ts';
import { generateAiFeedback } from './tasks/generate-ai-feedback.ts';
import { refreshRecommendationCache } from './tasks/refresh-recommendation-cache.ts';
import { sweepFeedback } from './tasks/sweep-feedback.ts';
import { updateUserEmbeddings } from './tasks/update-user-embeddings.ts';

export const TASKS = new Tasks([
  generateAiFeedback,
  updateUserEmbeddings,
  refreshRecommendationCache,
  sweepFeedback,
]);
