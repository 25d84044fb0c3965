/**
 * Asks for feedback on finished practices that have none and whose owner did not write an insight, page by page.
 */
import { findPracticeMaterial, listFinishedPractices } from '../../db/practices.ts';
import { AppError } from '../../errors.ts';
import { generateAiFeedback } from '../tasks/generate-ai-feedback.ts';
import type { DurableContext } from '../task.ts';
import { feedbackCall } from './call.ts';
import { checkEligibility } from './eligibility.ts';

/** Practices in one page. */
const PAGE = 100;
/** Behind those who ask themselves. */
const PRIORITY = 2;

export interface SweepCounts {
  /** Practices looked at. */
  practices: number;
  /** Those that get feedback. */
  asked: number;
}

/** @param pageLimitMs by which each page moves the time limits of the task. */
export async function sweepFinished(
  ctx: DurableContext,
  pageLimitMs: number,
): Promise<SweepCounts> {
  let [practices, asked, after] = [0, 0, 0];
  for (;;) {
    ctx.signal.throwIfAborted();
    const page = await listFinishedPractices(ctx.db, { after, limit: PAGE });
    if (page.length === 0) break;
    ctx.extendLimit(pageLimitMs);
    for (const { externalId } of page) asked += (await ask(externalId, ctx)) ? 1 : 0;
    practices += page.length;
    after = page.at(-1)!.id;
    ctx.progress(0.5, `${practices} practices`);
  }
  ctx.progress(1, `${practices} practices`);
  return { practices, asked };
}

/** Whether there is enough to say. What is on its way already is not asked for twice. */
async function ask(practiceId: string, ctx: DurableContext): Promise<boolean> {
  const material = await findPracticeMaterial(ctx.db, practiceId);
  if (material === undefined) return false;
  try {
    checkEligibility(material, ctx.settings);
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
  const { payload, options } = feedbackCall(material);
  await ctx.enqueue(generateAiFeedback.s(payload, { ...options, priority: PRIORITY }));
  return true;
}
