/**
 * Adding jobs, with no worker running.
 */
import {
  compare,
  rate,
  scaled,
  type Bench,
  type Figure,
  type Row,
  type Side,
  type Target,
} from '../bench.ts';
import type { Span } from '../children/commands.ts';
import type { PeerName } from '../peers/peer.ts';

interface AddRow {
  name: string;
  figure: string;
  /** About a second of each side. */
  sizes: Record<PeerName, number>;
  target: Pick<Target, 'must' | 'aim'>;
  add(side: Side, jobs: number): Promise<Span>;
}

export const add = addRow({
  name: 'add',
  figure: 'add, 500 in flight',
  sizes: { ours: 100_000, bullmq: 20_000 },
  target: { must: 5, aim: 7 },
  add: ({ children: [child], ...place }, jobs) =>
    child!.call('add', { ...place, jobs, inFlight: 500 }),
});

export const addBulk = addRow({
  name: 'add-bulk',
  figure: 'add in bulk, 1000 at a time',
  sizes: { ours: 100_000, bullmq: 20_000 },
  target: { must: 6, aim: 7.5 },
  add: ({ children: [child], ...place }, jobs) =>
    child!.call('addBulk', { ...place, jobs, batch: 1000 }),
});

export const addAwaited = addRow({
  name: 'add-awaited',
  figure: 'add, awaited one by one',
  sizes: { ours: 5000, bullmq: 5000 },
  target: { must: 1.3, aim: 1.6 },
  add: ({ children: [child], ...place }, jobs) =>
    child!.call('add', { ...place, jobs, inFlight: 1 }),
});

function addRow({ name, figure, sizes, target, add: measured }: AddRow): Row {
  return {
    name,
    what: `${figure}: ${sizes.ours} jobs (ours) and ${sizes.bullmq} (BullMQ)`,
    async measure(bench: Bench): Promise<Figure[]> {
      const values = await compare(bench, {}, async (side) => {
        const jobs = scaled(bench, sizes[side.peer]);
        return rate(jobs, await measured(side, jobs));
      });
      return [
        {
          row: name,
          figure,
          unit: 'jobs/s',
          ours: values.ours,
          theirs: values.bullmq,
          target: { of: 'ratio', is: 'least', ...target },
        },
      ];
    },
  };
}
