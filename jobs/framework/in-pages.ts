/** Works through a long list page by page within one attempt. */
import type { TaskContext } from './context.ts';

export interface PagesOptions {
  /** How far each page extends the time limits of the attempt, in milliseconds. */
  pageLimitMs: number;
  /** What the progress counts, in the plural. */
  unit: string;
}

export interface Page {
  /** Items on the page. */
  items: number;
  isLast: boolean;
}

/**
 * Calls `next` up to the last page. Progress stays 0.5 until then, as the total is unknown. @returns the number of all items.
 * @throws the reason of `ctx.signal`, once aborted, before the next page.
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
