/**
 * Durable calls from the first call to the end of the last, with a process that makes and one that takes them.
 */
import { scaled, type Bench, type Figure, type Row } from '../../bench.ts';
import { compareDurable, costOf, type Cost } from './sides.ts';

const PEERS = ['ours', 'pg-boss', 'graphile-worker'] as const;
const TASKS = 3000;
const MANY_PEERS = ['ours', 'pg-boss'] as const;
const MANY_TASKS = 8000;
const BATCH = 500;

export const durableCalls: Row = {
  name: 'durable-calls',
  what: `${TASKS} durable calls with 50 in flight, until all have ended; pg-boss sends, graphile-worker adds`,
  async measure(bench: Bench): Promise<Figure[]> {
    const tasks = scaled(bench, TASKS);
    const costs = await compareDurable(bench, { peers: PEERS, workers: true }, (side) =>
      costOf(side, tasks, (client) => client.call('call', { tasks, inFlight: 50 })),
    );
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
  what: `${MANY_TASKS} durable calls, ${BATCH} at a time, until all have ended; pg-boss inserts`,
  async measure(bench: Bench): Promise<Figure[]> {
    const tasks = scaled(bench, MANY_TASKS);
    const costs = await compareDurable(bench, { peers: MANY_PEERS, workers: true }, (side) =>
      costOf(side, tasks, (client) => client.call('callMany', { tasks, batch: BATCH })),
    );
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
