/**
 * Celery's drain beside ours, where Debian's Celery is installed.
 */
import { compare, rate, scaled, type Bench, type Figure, type Row } from '../bench.ts';
import {
  betterOf,
  CELERY_POOLS,
  celeryMessages,
  celeryVersion,
  drainCelery,
  type CeleryPool,
} from '../peers/celery.ts';

const JOBS = { ours: 60_000, celery: 3000 };

export const celery: Row = {
  name: 'celery',
  what: `drain ${JOBS.ours} (ours, concurrency 50) and ${JOBS.celery} (Celery, the better of its pools) waiting jobs`,
  async measure(bench: Bench): Promise<Figure[]> {
    const figure: Figure = {
      row: 'celery',
      figure: 'drain, beside Celery',
      unit: 'jobs/s',
      ours: [],
      theirs: [],
      peer: 'Celery',
      target: { of: 'ratio', is: 'least', must: 90, aim: 130 },
    };
    const version = await celeryVersion();
    if (version === undefined) {
      return [{ ...figure, note: 'celery and python3-redis of Debian are not installed' }];
    }
    const { redis } = bench;
    await redis.flush();
    const messages = await celeryMessages(redis, scaled(bench, JOBS.celery));
    const rates: Record<CeleryPool, number[]> = { solo: [], prefork: [] };
    const values = await compare(
      bench,
      { peers: ['ours'] },
      async ({ children: [child], ...place }) => {
        const jobs = scaled(bench, JOBS.ours);
        await child!.call('addBulk', { ...place, jobs, batch: 1000 });
        const span = await child!.call('drain', { ...place, jobs, concurrency: 50 });
        for (const pool of CELERY_POOLS) {
          await redis.flush();
          rates[pool].push(await drainCelery(redis, messages, pool));
        }
        return rate(jobs, span);
      },
    );
    const best = betterOf(rates);
    const note = `Celery ${version}, pool ${best}, the better of ${CELERY_POOLS.join(' and ')}`;
    // As everywhere, the first round does not count.
    return [{ ...figure, ours: values.ours, theirs: rates[best].slice(1), note }];
  },
};
