/** All tasks of DaoDao. Importing this file loads no client of a store or model. */
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
