/**
 * Durable calls with no worker running: until each is in Postgres.
 */
import { rate, scaled, type Bench, type Figure, type Row } from '../../bench.ts';
import { compareDurable } from './sides.ts';

const PEERS = ['ours', 'pg-boss'] as const;
const TASKS = 3000;

export const durableAccept: Row = {
  name: 'durable-accept',
  what: `${TASKS} durable calls with 50 in flight, no worker running; pg-boss sends`,
  async measure(bench: Bench): Promise<Figure[]> {
    const tasks = scaled(bench, TASKS);
    const plan = { peers: PEERS, workers: false };
    const values = await compareDurable(bench, plan, async ({ client }) =>
      rate(tasks, await client.call('call', { tasks, inFlight: 50 })),
    );
    return [
      {
        row: 'durable-accept',
        figure: 'durable calls accepted, 50 in flight',
        unit: 'tasks/s',
        ours: values.ours,
        theirs: values['pg-boss'],
        peer: 'pg-boss',
        target: { of: 'ratio', is: 'least', must: 1.5, aim: 3 },
      },
    ];
  },
};
