/**
 * What a job costs Redis: memory while it waits, processor time over its life.
 */
import { compare, scaled, type Bench, type Figure, type Row } from '../bench.ts';
import type { PeerName } from '../peers/peer.ts';

const STORED = 100_000;
const JOBS: Record<PeerName, number> = { ours: 50_000, bullmq: 10_000 };

export const memory: Row = {
  name: 'memory',
  what: `used_memory of Redis before and after ${STORED} jobs are added; two rounds, as it hardly varies`,
  async measure(bench: Bench): Promise<Figure[]> {
    const { redis } = bench;
    const jobs = scaled(bench, STORED);
    const plan = { rounds: Math.min(2, bench.rounds) };
    const values = await compare(bench, plan, async ({ children: [child], ...place }) => {
      const before = await redis.usedBytes();
      await child!.call('addBulk', { ...place, jobs, batch: 1000 });
      return ((await redis.usedBytes()) - before) / jobs;
    });
    return [
      {
        row: 'memory',
        figure: 'Redis memory per queued job',
        unit: 'bytes',
        ours: values.ours,
        theirs: values.bullmq,
        target: { of: 'ratio', is: 'most', must: 0.65, aim: 0.55 },
      },
    ];
  },
};

/** Processor times, in microseconds a job. */
interface Cost {
  redis: number;
  process: number;
}

export const cpu: Row = {
  name: 'cpu',
  what: 'processor time of Redis and of the process over adding with 500 in flight and draining at concurrency 50',
  async measure(bench: Bench): Promise<Figure[]> {
    const { redis } = bench;
    const costs = await compare(bench, {}, async ({ peer, children: [child], ...place }) => {
      const jobs = scaled(bench, JOBS[peer]);
      const before = await redis.cpuSeconds();
      const added = await child!.call('add', { ...place, jobs, inFlight: 500 });
      const drained = await child!.call('drain', { ...place, jobs, concurrency: 50 });
      return {
        redis: (((await redis.cpuSeconds()) - before) * 1e6) / jobs,
        process: ((added.cpuMs + drained.cpuMs) * 1000) / jobs,
      };
    });
    const figure = (name: string, of: keyof Cost): Figure => ({
      row: 'cpu',
      figure: name,
      unit: 'µs',
      ours: costs.ours.map((cost: Cost) => cost[of]),
      theirs: costs.bullmq.map((cost: Cost) => cost[of]),
    });
    return [
      {
        ...figure('Redis CPU per job', 'redis'),
        target: { of: 'ratio', is: 'most', must: 1 / 9, aim: 1 / 12 },
      },
      figure('Node CPU per job', 'process'),
    ];
  },
};
