/** Embeds all changes, page by page: an attempt finds what earlier ones wrote unchanged. */
import { Type, type Static } from 'typebox';
import { findStaleUsers } from '../../db/daodao/embedding-sources.ts';
import { EMBEDDING_VERSION } from '../../db/daodao/embedding-state.ts';
import type { Context } from '../define.ts';
import { inPages } from '../framework/in-pages.ts';
import { add, Counts, NOTHING, updateUsers } from './update.ts';

/** Users per page, each with all their practices. */
const PAGE = 50;

export const SweepCounts = Type.Object({ users: Type.Integer(), ...Counts.properties });
export type SweepCounts = Static<typeof SweepCounts>;

/**
 * @param options.pageLimitMs how far each page extends the time limits of the task.
 * @param options.anew embeds everything again, for example after a loss of the vector store. Default false.
 */
export async function sweep(
  ctx: Context,
  { pageLimitMs, anew = false }: { pageLimitMs: number; anew?: boolean | undefined },
): Promise<SweepCounts> {
  // Taken once for all attempts, so a later one skips what earlier ones wrote.
  const sinceVersion = anew ? await ctx.step('begin', () => ctx.nextval(EMBEDDING_VERSION)) : 0;
  let [counts, after] = [NOTHING, 0];
  const users = await inPages(ctx, { pageLimitMs, unit: 'users' }, async () => {
    const collection = ctx.vectors.collection('users');
    const page = await findStaleUsers(ctx.db, { collection, after, sinceVersion, limit: PAGE });
    const ids = page.map(({ externalId }) => externalId);
    if (ids.length > 0) counts = add(counts, await updateUsers(ids, ctx, { anew }));
    after = page.at(-1)?.id ?? after;
    return { items: page.length, isLast: page.length < PAGE };
  });
  await ctx.vectors.use();
  return { users, ...counts };
}
