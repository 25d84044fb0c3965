/**
 * Feedback for whoever finished a practice and did not ask.
 */
import { Type } from 'typebox';
import { SweepCounts, sweepFinished } from './sweep.ts';
import { defineTask } from '../define.ts';

/** For a page of practices. */
const TIME_LIMIT_MS = 60_000;

export const sweepFeedback = defineTask({
  name: 'sweep_feedback',
  queue: 'ai_tasks',
  payload: Type.Object({}),
  result: SweepCounts,
  maxRetries: 5,
  backoff: { delayMs: 10_000, factor: 2, jitter: 'full', maxMs: 600_000 },
  softTimeLimitMs: TIME_LIMIT_MS - 10_000,
  timeLimitMs: TIME_LIMIT_MS,
  run: (_, ctx) => sweepFinished(ctx, TIME_LIMIT_MS),
});
