/** Enqueues feedback for finished practices without feedback or an insight by their owner, page by page, newest first. */
import { Type, type Static } from 'typebox';
import { findPracticeMaterial, listFinishedPractices } from '../../db/daodao/practices.ts';
import { generateAiFeedback } from './task.ts';
import type { Context } from '../define.ts';
import { inPages } from '../framework/in-pages.ts';
import { withOptions } from '../framework/signature.ts';
import { askForOwner } from './call.ts';

/** Practices per page. */
const PAGE = 100;
/** Below requests by members. */
const PRIORITY = 2;
/** Tasks per sweep, which must not occupy the model for hours. The next sweep continues. */
const MOST_ASKED = 500;
/** Tasks that failed for good since a practice last changed, after which sweeps skip it: each costs money. */
const MOST_FAILED = 3;

export const SweepCounts = Type.Object({
  /** Practices examined. */
  practices: Type.Integer(),
  /** Practices that get feedback. */
  asked: Type.Integer(),
});
export type SweepCounts = Static<typeof SweepCounts>;

/** @param pageLimitMs how far each page extends the time limits of the task. @param mostAsked maximum of tasks per sweep. */
export async function sweepFinished(
  ctx: Context,
  pageLimitMs: number,
  mostAsked = MOST_ASKED,
): Promise<SweepCounts> {
  let [asked, before] = [0, Number.MAX_SAFE_INTEGER];
  const practices = await inPages(ctx, { pageLimitMs, unit: 'practices' }, async () => {
    const limit = Math.min(PAGE, mostAsked - asked);
    const page = await listFinishedPractices(ctx.db, {
      before,
      limit,
      task: generateAiFeedback.name,
      mostFailed: MOST_FAILED,
    });
    for (const { externalId } of page) asked += (await ask(externalId, ctx)) ? 1 : 0;
    before = page.at(-1)?.id ?? before;
    return { items: page.length, isLast: page.length < limit || asked >= mostAsked };
  });
  return { practices, asked };
}

/** Enqueues feedback, unless it is already under way. @returns whether the practice gets any. */
async function ask(practiceId: string, ctx: Context): Promise<boolean> {
  const material = await findPracticeMaterial(ctx.db, practiceId);
  if (material === undefined) return false;
  const id = await askForOwner(material, ctx.settings, (call) =>
    ctx.enqueue(withOptions(call, { priority: PRIORITY })),
  );
  return id !== undefined;
}
