/**
 * Jobs whose handlers run in worker threads: BullMQ's sandboxed processor, and ours in batches.
 */
import { compare, rate, scaled, type Bench, type Figure, type Row, type Target } from '../bench.ts';
import type { PeerName, ThreadOptions } from '../peers/peer.ts';

const JOBS: Record<PeerName, number> = { ours: 50_000, bullmq: 4000 };
/** Not counted: threads start with the first jobs. */
const WARM_UP = 500;
/** Each side's best on two cores: BullMQ's threads run one job at a time and wait for each other's messages. */
const THREADS: Record<PeerName, number> = { ours: 2, bullmq: 4 };

export const threadsBare = threadsRow('threads-bare', 'bare', { must: 20, aim: 30 });
export const threadsTask = threadsRow('threads-task', 'task', { must: 10, aim: 20 });

function threadsRow(
  name: string,
  path: ThreadOptions['path'],
  target: Pick<Target, 'must' | 'aim'>,
): Row {
  return {
    name,
    what:
      path === 'bare'
        ? 'a handler that does nothing, in worker threads'
        : 'the whole task path of ours (validation, context, log) against a bare handler of BullMQ',
    async measure(bench: Bench): Promise<Figure[]> {
      const values = await compare(bench, {}, async ({ peer, children: [child], ...place }) => {
        const jobs = scaled(bench, JOBS[peer]);
        const warmUp = scaled(bench, WARM_UP);
        await child!.call('addBulk', { ...place, jobs: jobs + warmUp, batch: 1000 });
        const span = await child!.call('drainThreads', {
          ...place,
          path,
          threads: THREADS[peer],
          jobs: jobs + warmUp,
          warmUp,
        });
        return rate(jobs, span);
      });
      return [
        {
          row: name,
          figure: `through threads, ${path === 'bare' ? 'bare handler' : 'whole task path'}`,
          unit: 'jobs/s',
          ours: values.ours,
          theirs: values.bullmq,
          target: { of: 'ratio', is: 'least', ...target },
        },
      ];
    },
  };
}
