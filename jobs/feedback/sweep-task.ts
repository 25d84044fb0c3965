/** The scheduled sweep: writes feedback for finished practices whose owners did not request it. */
import { Type } from 'typebox';
import { SweepCounts, sweepFinished } from './sweep.ts';
import { defineTask } from '../define.ts';

/** Covers one page of practices. */
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
