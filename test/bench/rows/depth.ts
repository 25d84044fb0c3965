/**
 * Whether a long line makes a claim dearer. Ours only: two queues in one Redis, one short and one long, drained in turn.
 */
import { compare, QUEUE, rate, scaled, type Bench, type Figure, type Row } from '../bench.ts';
import type { Child } from '../child.ts';
import type { QueueCommands } from '../children/commands.ts';

const SHORT = 10_000;
const LONG = 1_000_000;
const DRAINED = 20_000;

export const depth: Row = {
  name: 'depth',
  what: `drain ${DRAINED} jobs off a line of ${SHORT} and off one of ${LONG}, concurrency 50; ours only`,
  async measure(bench: Bench): Promise<Figure[]> {
    const rounds = { short: [] as number[], long: [] as number[] };
    let bytesPerJob = 0;
    // One round for `compare`: the lines are filled once, the rounds are inside.
    await compare(bench, { peers: ['ours'], rounds: 0 }, async ({ children: [child], url }) => {
      const lines = { short: `${QUEUE}-short`, long: `${QUEUE}-long` } as const;
      await fill(child!, url, lines.short, scaled(bench, SHORT));
      const before = await bench.redis.usedBytes();
      await fill(child!, url, lines.long, scaled(bench, LONG));
      bytesPerJob = ((await bench.redis.usedBytes()) - before) / scaled(bench, LONG);
      for (let round = 0; round <= bench.rounds; round++) {
        for (const line of round % 2 === 0 ? keys : keys.toReversed()) {
          const value = await drain(child!, url, lines[line], scaled(bench, DRAINED));
          if (round > 0) rounds[line].push(value);
        }
      }
    });
    return [
      {
        row: 'depth',
        figure: 'claim cost, 1M waiting to 10k',
        unit: 'jobs/s',
        ours: rounds.short,
        theirs: rounds.long,
        peer: 'ours at 1M',
        target: { of: 'ratio', is: 'most', must: 1.3, aim: 1.15 },
      },
      {
        row: 'depth',
        figure: 'Redis memory per job at 1M',
        unit: 'bytes',
        ours: [bytesPerJob],
        theirs: [],
      },
    ];
  },
};

const keys = ['short', 'long'] as const;

async function fill(
  child: Child<QueueCommands>,
  url: string,
  queue: string,
  jobs: number,
): Promise<void> {
  await child.call('addBulk', { url, queue, jobs, batch: 1000 });
}

/** The line is as long afterwards as before: what is drained is added first. */
async function drain(
  child: Child<QueueCommands>,
  url: string,
  queue: string,
  jobs: number,
): Promise<number> {
  await fill(child, url, queue, jobs);
  return rate(jobs, await child.call('drain', { url, queue, jobs, concurrency: 50 }));
}
