/**
 * Every task of DaoDao. Importing this loads no client of any store or model.
 */
import { Tasks } from './framework/tasks.ts';
import { generateAiFeedback } from './feedback/task.ts';
import { refreshRecommendationCache } from './recommendations/task.ts';
import { sweepFeedback } from './feedback/sweep-task.ts';
import { updateUserEmbeddings } from './embeddings/task.ts';

export const TASKS = new Tasks([
  generateAiFeedback,
  updateUserEmbeddings,
  refreshRecommendationCache,
  sweepFeedback,
]);
