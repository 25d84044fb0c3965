/**
 * Asking for feedback, with no worker to write it.
 */
import { alternate, scaled, type Bench, type Figure, type Row } from '../../bench.ts';
import { withServers } from './servers.ts';

/** A practice each: a second request would find the task of the first. */
const REQUESTS = 1000;

export const httpFeedback: Row = {
  name: 'http-feedback',
  what: `${REQUESTS} POST /practices/:id/feedback on ten connections; a bare Fastify server reads the practice, BullMQ adds a job`,
  measure: (bench: Bench): Promise<Figure[]> =>
    withServers(bench, async ({ community, database, ours, bare }) => {
      const targets = await community.feedback();
      const requests = Math.min(scaled(bench, REQUESTS), targets.length);
      const values = await alternate([ours, bare], bench.rounds, async ({ load }) => {
        await database.client.query('TRUNCATE ai.tasks CASCADE');
        return load({ method: 'POST', targets, requests, status: 202 });
      });
      return [
        {
          row: 'http-feedback',
          figure: 'POST /practices/:id/feedback',
          unit: 'requests/s',
          ours: values.ours,
          theirs: values.bare,
          peer: 'bare Fastify + BullMQ',
          target: { of: 'ratio', is: 'least', must: 0.5, aim: 0.8 },
        },
      ];
    }),
};
