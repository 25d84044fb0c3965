/**
 * Embeds whatever has changed, page by page: what one attempt has written the next one finds unchanged.
 */
import { Type, type Static } from 'typebox';
import { findStaleUsers } from '../../db/daodao/embedding-sources.ts';
import { nextVersion } from '../../db/daodao/embedding-state.ts';
import type { Context } from '../define.ts';
import { add, Counts, NOTHING, updateUsers } from './update.ts';

/** Users in one page, each with all their practices. */
const PAGE = 50;

export const SweepCounts = Type.Object({ users: Type.Integer(), ...Counts.properties });
export type SweepCounts = Static<typeof SweepCounts>;

/**
 * @param options.pageLimitMs by which each page moves the time limits of the task.
 * @param options.anew whether everything is embedded again, as after a loss of the vector store. Default false.
 */
export async function sweep(
  ctx: Context,
  { pageLimitMs, anew = false }: { pageLimitMs: number; anew?: boolean | undefined },
): Promise<SweepCounts> {
  // Taken once for all attempts: what they have written since is done.
  const sinceVersion = anew ? await ctx.step('begin', () => nextVersion(ctx.db)) : 0;
  let [counts, users, after]: [Counts, number, number] = [NOTHING, 0, 0];
  for (;;) {
    ctx.signal.throwIfAborted();
    const collection = ctx.vectors.collection('users');
    const page = await findStaleUsers(ctx.db, { collection, after, sinceVersion, limit: PAGE });
    if (page.length === 0) break;
    ctx.extendLimit(pageLimitMs);
    const ids = page.map(({ externalId }) => externalId);
    counts = add(counts, await updateUsers(ids, ctx, { anew }));
    users += page.length;
    after = page.at(-1)!.id;
    ctx.progress(0.5, `${users} users`);
  }
  await ctx.vectors.use();
  ctx.progress(1, `${users} users`);
  return { users, ...counts };
}
