/** A figure beside Celery, where Debian's Celery is installed. */
import { quantile, type Figure } from '../bench.ts';
import { CELERY_POOLS, celeryVersion, type CeleryPool } from '../peers/celery.ts';

/** Measures every pool in turn. */
type EachPool = (measurePool: (pool: CeleryPool) => Promise<number>) => Promise<void>;

/**
 * @param measure measures ours, one value a round without the first, and each pool in every round, the first included.
 * @returns the figure beside the pool with the larger median.
 */
export async function besideCelery(
  figure: Omit<Figure, 'ours' | 'theirs' | 'peer'>,
  measure: (eachPool: EachPool) => Promise<number[]>,
): Promise<Figure[]> {
  const version = await celeryVersion();
  if (version === undefined) {
    const note = 'celery and python3-redis of Debian are not installed';
    return [{ ...figure, ours: [], theirs: [], peer: 'Celery', note }];
  }
  const values: Record<CeleryPool, number[]> = { solo: [], prefork: [] };
  const ours = await measure(async (measurePool) => {
    for (const pool of CELERY_POOLS) values[pool].push(await measurePool(pool));
  });
  const median = (pool: CeleryPool): number => quantile(values[pool], 0.5);
  const best = CELERY_POOLS.toSorted((a, b) => median(b) - median(a))[0]!;
  const note = `Celery ${version}, pool ${best}, the better of ${CELERY_POOLS.join(' and ')}`;
  // As everywhere, the first round does not count.
  return [{ ...figure, ours, theirs: values[best].slice(1), peer: 'Celery', note }];
}
