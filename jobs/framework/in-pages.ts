/**
 * Works through a long list page by page within one attempt.
 */
import type { TaskContext } from './context.ts';

export interface PagesOptions {
  /** By how much each page moves the time limits of the attempt, in milliseconds. */
  pageLimitMs: number;
  /** What the progress counts, in the plural. */
  unit: string;
}

export interface Page {
  /** Items the page had. */
  items: number;
  isLast: boolean;
}

/**
 * Calls `next` until it says that a page was the last. Progress is 0.5 until then, as the total is unknown.
 * @returns the number of items on all pages.
 * @throws the reason of `ctx.signal` before the next page, once that is aborted.
 */
export async function inPages(
  ctx: Pick<TaskContext, 'signal' | 'extendLimit' | 'progress'>,
  { pageLimitMs, unit }: PagesOptions,
  next: () => Promise<Page>,
): Promise<number> {
  for (let items = 0; ;) {
    ctx.signal.throwIfAborted();
    ctx.extendLimit(pageLimitMs);
    const page = await next();
    items += page.items;
    ctx.progress(page.isLast ? 1 : 0.5, `${items} ${unit}`);
    if (page.isLast) return items;
  }
}
