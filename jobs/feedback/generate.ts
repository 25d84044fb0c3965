/** Generates feedback: read the practice, ask the model, save, cache. Every stage is idempotent across attempts. */
import { Type, type Static } from 'typebox';
import { saveFeedback, type Feedback } from '../../db/daodao/feedback.ts';
import { findStoredReplies, recordLlmCall } from '../../db/llm/calls.ts';
import { findPracticeMaterial, type PracticeMaterial } from '../../db/daodao/practices.ts';
import { AppError, ERRORS } from '../../base/errors.ts';
import { cacheValue } from '../common/cache-value.ts';
import type { Context } from '../define.ts';
import type { TaskTransaction } from '../framework/context.ts';
import { Reject } from '../framework/errors.ts';
import { composeFeedback, FIRST_STEP, type Call, type KeptReply } from './compose.ts';
import { checkEligibility } from './eligibility.ts';
import { inputHash } from './input-hash.ts';
import { Locale } from '../common/locale.ts';
import { mayTouch } from '../common/owner.ts';
import { PROMPT_VERSION } from './prompt.ts';
import { joinSections, Sections } from './reply/parse.ts';

export const FeedbackRequest = Type.Object({
  practiceId: Type.String({ format: 'uuid' }),
  /** Default: the owner's preference. */
  locale: Type.Optional(Locale),
});
export type FeedbackRequest = Static<typeof FeedbackRequest>;

/** Part of the HTTP API, hence the snake case. */
export const FeedbackResult = Type.Object({
  practice_id: Type.String(),
  locale: Locale,
  /** Three paragraphs separated by a blank line. */
  text: Type.String(),
  sections: Sections,
  provider: Type.String(),
  model: Type.String(),
  version: Type.Integer(),
  /** False when the owner's edited insight was kept. */
  insight_replaced: Type.Boolean(),
});
export type FeedbackResult = Static<typeof FeedbackResult>;

export const TASK_NAME = 'generate_ai_feedback';

const CACHE_TTL_SECONDS = 6 * 3600;

type Saved = Awaited<ReturnType<typeof saveFeedback>>;

/** @throws {Reject} when the practice is not eligible or no reply was usable; {Retry} when the model is unavailable. */
export async function generateFeedback(
  request: FeedbackRequest,
  ctx: Context,
): Promise<FeedbackResult> {
  try {
    return await generate(request, ctx);
  } catch (error) {
    // Client errors are permanent: the caller's mistake, or a change by the owner since the request.
    if (error instanceof AppError && error.status < 500) {
      throw new Reject(error.code, error.message, { cause: error });
    }
    throw error;
  }
}

async function generate(request: FeedbackRequest, ctx: Context): Promise<FeedbackResult> {
  // Feedback saved by an earlier attempt stays valid, even if the owner has changed the practice since.
  const saved = await ctx.stored<Saved>('save');
  const { feedback, insightReplaced } = saved?.output ?? (await write(request, ctx));
  // An unavailable cache fails the attempt on purpose; the next attempt only repeats this write.
  const key = `feedback:${request.practiceId}`;
  await cacheValue(ctx, key, feedback.version, feedback, CACHE_TTL_SECONDS);
  ctx.progress(1, 'done');
  return toResult(feedback, insightReplaced);
}

async function write(request: FeedbackRequest, ctx: Context): Promise<Saved> {
  ctx.progress(0.05, 'reading the practice');
  const material = await loadMaterial(request.practiceId, ctx);
  const locale = request.locale ?? material.owner.preferredLocale;
  const paid = await findPaidReplies(material, locale, ctx);
  const { calls, sections } = await composeFeedback(material, locale, ctx, paid);
  if (sections === undefined) {
    // The step is unique per delivery, as the task may end here again after a requeue.
    await ctx.transaction(`refuse:${ctx.job.delivery}`, (tx) => recordCalls(tx, ctx.job.id, calls));
    throw new Reject('LLM_REPLY_INVALID', ERRORS.LLM_REPLY_INVALID.message);
  }

  ctx.progress(0.9, 'saving');
  const { reply } = calls.at(-1)!;
  return ctx.transaction('save', async (tx) => {
    await recordCalls(tx, ctx.job.id, calls);
    // The material may be newer than the request.
    await tx.setInputHash(calls[0].reply.inputHash);
    return saveFeedback(tx, {
      taskId: ctx.job.id,
      practiceId: request.practiceId,
      ownerId: ctx.job.userId,
      locale,
      inputHash: calls[0].reply.inputHash,
      promptVersion: PROMPT_VERSION,
      provider: reply.provider,
      model: reply.model,
      text: joinSections(sections),
      sections,
    });
  });
}

/** Checks eligibility again: the practice may have changed since the task was accepted. */
async function loadMaterial(practiceId: string, ctx: Context): Promise<PracticeMaterial> {
  const material = await findPracticeMaterial(ctx.db, practiceId);
  if (material === undefined || !mayTouch(ctx, [material.practice.ownerId])) {
    throw new AppError('PRACTICE_NOT_FOUND');
  }
  checkEligibility(material, ctx.settings);
  return material;
}

/** What an earlier task has paid for, such as one that was revoked before it saved. */
async function findPaidReplies(
  material: PracticeMaterial,
  locale: Locale,
  { db }: Context,
): Promise<Map<string, KeptReply>> {
  const stored = await findStoredReplies<KeptReply>(db, {
    name: TASK_NAME,
    subject: material.practice.externalId,
    inputHash: inputHash(material, locale),
    firstStep: FIRST_STEP,
  });
  const replies = [...stored].map(([step, { reply, isRecorded }]) => {
    const kept = { ...reply, isRecorded: isRecorded || reply.isRecorded === true };
    return [step, kept] as const;
  });
  return new Map(replies);
}

async function recordCalls(
  tx: TaskTransaction,
  taskId: string,
  calls: readonly Call[],
): Promise<void> {
  for (const { step, reply, status } of calls) {
    if (reply.isRecorded === true) continue;
    await recordLlmCall(tx, { ...reply, taskId, step, promptVersion: PROMPT_VERSION, status });
  }
}

function toResult(
  { practiceId, locale, text, sections, provider, model, version }: Feedback,
  insightReplaced: boolean,
): FeedbackResult {
  return {
    practice_id: practiceId,
    locale,
    text,
    sections,
    provider,
    model,
    version,
    insight_replaced: insightReplaced,
  };
}
