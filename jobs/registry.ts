/**
 * Every task there is. Importing this loads no client of any store or model.
 */
import type { Task } from './task.ts';
import { generateAiFeedback } from './tasks/generate-ai-feedback.ts';
import { refreshRecommendationCache } from './tasks/refresh-recommendation-cache.ts';
import { sweepFeedback } from './tasks/sweep-feedback.ts';
import { updateUserEmbeddings } from './tasks/update-user-embeddings.ts';

export const TASKS: readonly Task[] = [
  generateAiFeedback,
  updateUserEmbeddings,
  refreshRecommendationCache,
  sweepFeedback,
];

/** The task of this name; what comes from outside must be registered. */
export function findTask(name: string): Task | undefined {
  return TASKS.find((task) => task.name === name);
}
