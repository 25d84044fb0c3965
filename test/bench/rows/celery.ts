/**
 * Celery's drain beside ours, where Debian's Celery is installed.
 */
import { compare, rate, scaled, type Bench, type Figure, type Row } from '../bench.ts';
import { celeryMessages, drainCelery } from '../peers/celery.ts';
import { besideCelery } from './beside-celery.ts';

const JOBS = { ours: 60_000, celery: 3000 };

export const celery: Row = {
  name: 'celery',
  what: `drain ${JOBS.ours} (ours, concurrency 50) and ${JOBS.celery} (Celery, the better of its pools) waiting jobs`,
  async measure(bench: Bench): Promise<Figure[]> {
    const { redis } = bench;
    const figure = {
      row: 'celery',
      figure: 'drain, beside Celery',
      unit: 'jobs/s',
      target: { of: 'ratio', is: 'least', must: 90, aim: 130 },
    } as const;
    return besideCelery(figure, async (eachPool) => {
      await redis.flush();
      const messages = await celeryMessages(redis, scaled(bench, JOBS.celery));
      const plan = { peers: ['ours'] as const };
      const { ours } = await compare(bench, plan, async ({ children: [child], ...place }) => {
        const jobs = scaled(bench, JOBS.ours);
        await child!.call('addBulk', { ...place, jobs, batch: 1000 });
        const span = await child!.call('drain', { ...place, jobs, concurrency: 50 });
        await eachPool(async (pool) => {
          await redis.flush();
          return drainCelery(redis, messages, pool);
        });
        return rate(jobs, span);
      });
      return ours;
    });
  },
};
