/**
 * Taking jobs that are there already, with a handler that does nothing.
 */
import { compare, rate, scaled, type Bench, type Figure, type Row, type Target } from '../bench.ts';
import type { PeerName } from '../peers/peer.ts';

/** About a second of each side; how many jobs wait makes no difference to either. */
const JOBS: Record<PeerName, number> = { ours: 60_000, bullmq: 12_000 };
/** One at a time, a side waits for Redis after every job unless it fetches ahead. */
const JOBS_ONE_BY_ONE: Record<PeerName, number> = { ours: 40_000, bullmq: 4000 };

export const drain50 = drainRow('drain-50', 50, JOBS, { must: 8, aim: 12 });
export const drain1 = drainRow('drain-1', 1, JOBS_ONE_BY_ONE, { must: 15, aim: 25 });

function drainRow(
  name: string,
  concurrency: number,
  sizes: Record<PeerName, number>,
  target: Pick<Target, 'must' | 'aim'>,
): Row {
  return {
    name,
    what: `drain ${sizes.ours} (ours) and ${sizes.bullmq} (BullMQ) waiting jobs, concurrency ${concurrency}`,
    async measure(bench: Bench): Promise<Figure[]> {
      const values = await compare(bench, {}, async ({ peer, children: [child], ...place }) => {
        const jobs = scaled(bench, sizes[peer]);
        await child!.call('addBulk', { ...place, jobs, batch: 1000 });
        return rate(jobs, await child!.call('drain', { ...place, jobs, concurrency }));
      });
      return [
        {
          row: name,
          figure: `drain, concurrency ${concurrency}`,
          unit: 'jobs/s',
          ours: values.ours,
          theirs: values.bullmq,
          target: { of: 'ratio', is: 'least', ...target },
        },
      ];
    },
  };
}
