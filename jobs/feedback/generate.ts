/**
 * From a practice to its feedback: read, ask, save, show. Every stage may be repeated by a later attempt.
 */
import { Type, type Static } from 'typebox';
import { saveFeedback, type Feedback } from '../../db/daodao/feedback.ts';
import { recordLlmCall } from '../../db/llm/calls.ts';
import { findPracticeMaterial, type PracticeMaterial } from '../../db/daodao/practices.ts';
import { AppError, ERRORS } from '../../base/errors.ts';
import { cacheValue } from '../cache-value.ts';
import type { Context } from '../define.ts';
import type { TaskTransaction } from '../framework/context.ts';
import { Reject } from '../framework/errors.ts';
import { composeFeedback, type Call } from './compose.ts';
import { checkEligibility } from './eligibility.ts';
import { Locale } from '../locale.ts';
import { PROMPT_VERSION } from './prompt.ts';
import { joinSections, Sections } from './reply.ts';

export const FeedbackRequest = Type.Object({
  practiceId: Type.String({ format: 'uuid' }),
  /** Default: what the owner prefers. */
  locale: Type.Optional(Locale),
});
export type FeedbackRequest = Static<typeof FeedbackRequest>;

/** Shown over HTTP as it is, hence its names. */
export const FeedbackResult = Type.Object({
  practice_id: Type.String(),
  locale: Locale,
  /** Three paragraphs separated by a blank line. */
  text: Type.String(),
  sections: Sections,
  provider: Type.String(),
  model: Type.String(),
  version: Type.Integer(),
  /** False when the owner's own words were kept. */
  insight_replaced: Type.Boolean(),
});
export type FeedbackResult = Static<typeof FeedbackResult>;

const CACHE_TTL_SECONDS = 6 * 3600;

type Saved = Awaited<ReturnType<typeof saveFeedback>>;

/**
 * @throws {Reject} when the practice gets no feedback, or no reply could be used.
 * @throws {Retry} when the model is unavailable.
 */
export async function generateFeedback(
  request: FeedbackRequest,
  ctx: Context,
): Promise<FeedbackResult> {
  try {
    return await generate(request, ctx);
  } catch (error) {
    // What a caller did wrong, or the owner changed meanwhile, is not mended by another attempt.
    if (error instanceof AppError && error.status < 500) {
      throw new Reject(error.code, error.message, { cause: error });
    }
    throw error;
  }
}

async function generate(request: FeedbackRequest, ctx: Context): Promise<FeedbackResult> {
  // What an earlier attempt has saved stays and is shown, whatever the owner has done to the practice since.
  const saved = await ctx.stored<Saved>('save');
  const { feedback, insightReplaced } = saved?.output ?? (await write(request, ctx));
  // A cache that is unavailable fails the attempt on purpose: the next one finds all of the above done and only writes here.
  const key = `feedback:${request.practiceId}`;
  await cacheValue(ctx, key, feedback.version, feedback, CACHE_TTL_SECONDS);
  ctx.progress(1, 'done');
  return toResult(feedback, insightReplaced);
}

async function write(request: FeedbackRequest, ctx: Context): Promise<Saved> {
  ctx.progress(0.05, 'reading the practice');
  const material = await loadMaterial(request.practiceId, ctx);
  const locale = request.locale ?? material.owner.preferredLocale;
  const { calls, sections } = await composeFeedback(material, locale, ctx);
  if (sections === undefined) {
    // A name for each start: a life after a requeue may end here too.
    await ctx.transaction(`refuse:${ctx.job.delivery}`, (tx) => recordCalls(tx, ctx.job.id, calls));
    throw new Reject('LLM_REPLY_INVALID', ERRORS.LLM_REPLY_INVALID.message);
  }

  ctx.progress(0.9, 'saving');
  const { reply } = calls.at(-1)!;
  return ctx.transaction('save', async (tx) => {
    await recordCalls(tx, ctx.job.id, calls);
    // What it was written from may be newer than what it was asked for.
    await tx.setInputHash(calls[0].reply.inputHash);
    return saveFeedback(tx, {
      taskId: ctx.job.id,
      practiceId: request.practiceId,
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

/** Eligibility was checked when the task was accepted; the practice may have changed since. */
async function loadMaterial(practiceId: string, ctx: Context): Promise<PracticeMaterial> {
  const material = await findPracticeMaterial(ctx.db, practiceId);
  if (material === undefined) throw new AppError('PRACTICE_NOT_FOUND');
  checkEligibility(material, ctx.settings);
  return material;
}

async function recordCalls(
  tx: TaskTransaction,
  taskId: string,
  calls: readonly Call[],
): Promise<void> {
  for (const { step, reply, status } of calls) {
    const { provider, model, promptTokens, completionTokens, latencyMs } = reply;
    await recordLlmCall(tx, {
      taskId,
      step,
      provider,
      model,
      promptVersion: PROMPT_VERSION,
      promptTokens,
      completionTokens,
      latencyMs,
      status,
    });
  }
}

function toResult(feedback: Feedback, insightReplaced: boolean): FeedbackResult {
  const { practiceId, locale, text, sections, provider, model, version } = feedback;
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
