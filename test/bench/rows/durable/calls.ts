/**
 * Durable calls from the first call to the end of the last, with a process that makes and one that takes them.
 */
import { scaled, type Bench, type Figure, type Row } from '../../bench.ts';
import { compareDurable, costOf, type Cost } from './sides.ts';

/** About a second of each side; two of pg-boss, which may notice the last task half a second late. */
const TASKS = { ours: 2000, 'pg-boss': 4000, 'graphile-worker': 1000 };
const MANY = { ours: 4000, 'pg-boss': 10_000 };
const BATCH = 500;

export const durableCalls: Row = {
  name: 'durable-calls',
  what: `durable calls with 50 in flight until all have ended: ${wordsOf(TASKS)}; pg-boss sends, graphile-worker adds`,
  async measure(bench: Bench): Promise<Figure[]> {
    const plan = { peers: keysOf(TASKS), workers: true };
    const costs = await compareDurable(bench, plan, (side) => {
      const tasks = scaled(bench, TASKS[side.peer]);
      return costOf(side, tasks, (client) => client.call('call', { tasks, inFlight: 50 }));
    });
    const figure = (
      of: keyof Cost,
      unit: string,
      words: string,
      peer: 'pg-boss' | 'graphile-worker' = 'pg-boss',
    ): Figure => ({
      row: 'durable-calls',
      figure: words,
      unit,
      ours: costs.ours.map((cost) => cost[of]),
      theirs: costs[peer].map((cost) => cost[of]),
      peer,
    });
    return [
      {
        ...figure('rate', 'tasks/s', 'durable calls to their end'),
        target: { of: 'ratio', is: 'least', must: 1.5, aim: 3 },
      },
      {
        ...figure('rate', 'tasks/s', 'durable calls to their end', 'graphile-worker'),
        target: { of: 'ratio', is: 'least', must: 4, aim: 8 },
      },
      {
        ...figure('cpuMs', 'ms', 'CPU per durable task'),
        note: 'CPU of the calling and of the working process, and of Redis for ours; not of Postgres',
        target: { of: 'ours', is: 'most', must: 0.5, aim: 0.3 },
      },
      figure('transactions', 'count', 'write transactions per durable task'),
      figure('walBytes', 'bytes', 'WAL per durable task'),
    ];
  },
};

export const durableMany: Row = {
  name: 'durable-many',
  what: `durable calls, ${BATCH} at a time, until all have ended: ${wordsOf(MANY)}; pg-boss inserts`,
  async measure(bench: Bench): Promise<Figure[]> {
    const plan = { peers: keysOf(MANY), workers: true };
    const costs = await compareDurable(bench, plan, (side) => {
      const tasks = scaled(bench, MANY[side.peer]);
      return costOf(side, tasks, (client) => client.call('callMany', { tasks, batch: BATCH }));
    });
    return [
      {
        row: 'durable-many',
        figure: `durable calls to their end, ${BATCH} at a time`,
        unit: 'tasks/s',
        ours: costs.ours.map(({ rate }) => rate),
        theirs: costs['pg-boss'].map(({ rate }) => rate),
        peer: 'pg-boss',
        target: { of: 'ratio', is: 'least', must: 0.7, aim: 1.2 },
      },
    ];
  },
};

function keysOf<K extends string>(sizes: Record<K, number>): K[] {
  return Object.keys(sizes) as K[];
}

function wordsOf(sizes: Record<string, number>): string {
  return Object.entries(sizes)
    .map(([peer, tasks]) => `${tasks} (${peer})`)
    .join(', ');
}
