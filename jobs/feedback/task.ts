/** The task that writes feedback on a finished practice. It makes up to three LLM calls of 10 to 30 s each. */
import { FeedbackRequest, FeedbackResult, generateFeedback, TASK_NAME } from './generate.ts';
import { defineTask } from '../define.ts';

export const generateAiFeedback = defineTask({
  name: TASK_NAME,
  queue: 'ai_tasks',
  payload: FeedbackRequest,
  result: FeedbackResult,
  maxRetries: 3,
  backoff: { delayMs: 60_000, factor: 2, jitter: 'full', maxMs: 600_000 },
  softTimeLimitMs: 90_000,
  timeLimitMs: 120_000,
  run: generateFeedback,
});
