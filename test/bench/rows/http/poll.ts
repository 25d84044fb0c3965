/**
 * Reading tasks that have ended.
 */
import { alternate, scaled, type Bench, type Figure, type Row } from '../../bench.ts';
import { withServers } from './servers.ts';

const REQUESTS = 3000;

export const httpPoll: Row = {
  name: 'http-poll',
  what: `${REQUESTS} GET /tasks/:id of ended tasks on ten connections; a bare Fastify server checks the token and reads the row`,
  measure: (bench: Bench): Promise<Figure[]> =>
    withServers(bench, async ({ community, ours, bare }) => {
      const targets = await community.endedTasks();
      const values = await alternate([ours, bare], bench.rounds, ({ load }) =>
        load({ method: 'GET', targets, requests: scaled(bench, REQUESTS), status: 200 }),
      );
      return [
        {
          row: 'http-poll',
          figure: 'GET /tasks/:id',
          unit: 'requests/s',
          ours: values.ours,
          theirs: values.bare,
          peer: 'bare Fastify',
          target: { of: 'ratio', is: 'least', must: 0.9, aim: 1 },
        },
      ];
    }),
};
