/**
 * Reading recommendations, of members with cached ones and of members for whom nothing is cached.
 */
import { alternate, scaled, type Bench, type Figure, type Row } from '../../bench.ts';
import { withServers } from './servers.ts';

const REQUESTS = 1500;

export const httpCards: Row = {
  name: 'http-cards',
  what: `${REQUESTS} GET /users/me/recommendations on ten connections; a bare Fastify server reads 20 cards in one query`,
  measure: (bench: Bench): Promise<Figure[]> =>
    withServers(bench, async ({ community, ours, bare }) => {
      const { cached, uncached } = await community.cards(bench.redis.url);
      const sides = [
        { peer: 'cached', server: ours, targets: cached },
        { peer: 'uncached', server: ours, targets: uncached },
        { peer: 'bare', server: bare, targets: [...cached, ...uncached] },
      ] as const;
      const requests = scaled(bench, REQUESTS);
      const values = await alternate(sides, bench.rounds, ({ server, targets }) =>
        server.load({ method: 'GET', targets, requests, status: 200 }),
      );
      const figure = (side: 'cached' | 'uncached', must: number): Figure => ({
        row: 'http-cards',
        figure: `GET /users/me/recommendations, ${side}`,
        unit: 'requests/s',
        ours: values[side],
        theirs: values.bare,
        peer: 'bare Fastify',
        target: { of: 'ratio', is: 'least', must, aim: 0.9 },
      });
      return [figure('cached', 0.6), figure('uncached', 0.5)];
    }),
};
