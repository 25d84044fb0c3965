/**
 * A producer process, a worker process and Redis at work together: from the first add to the last end.
 */
import { compare, scaled, type Bench, type Figure, type Row, type Side } from '../bench.ts';
import type { PeerName } from '../peers/peer.ts';

const JOBS: Record<PeerName, number> = { ours: 50_000, bullmq: 8000 };

export const endToEnd: Row = {
  name: 'end-to-end',
  what: 'a process adds with 500 in flight while another runs 50 at a time',
  measure: (bench) => measure(bench, 'end-to-end', 'end to end, 2 processes'),
};

export const endToEndAof: Row = {
  name: 'end-to-end-aof',
  what: 'the same with an append-only file, synced every second',
  async measure(bench) {
    await bench.redis.appendOnly(true);
    try {
      return await measure(bench, 'end-to-end-aof', 'end to end, AOF everysec');
    } finally {
      await bench.redis.appendOnly(false);
    }
  },
};

async function measure(bench: Bench, row: string, figure: string): Promise<Figure[]> {
  const values = await compare(bench, { processes: 2 }, (side) =>
    run(side, scaled(bench, JOBS[side.peer])),
  );
  return [
    {
      row,
      figure,
      unit: 'jobs/s',
      ours: values.ours,
      theirs: values.bullmq,
      target: { of: 'ratio', is: 'least', must: 6, aim: 9 },
    },
  ];
}

async function run({ children, ...place }: Side, jobs: number): Promise<number> {
  const [producer, worker] = children;
  await worker!.call('listen', { ...place, concurrency: 50 });
  const [{ startMs }, { endMs }] = await Promise.all([
    producer!.call('add', { ...place, jobs, inFlight: 500 }),
    worker!.call('finish', { jobs }),
  ]);
  return (jobs * 1000) / (endMs - startMs);
}
