/**
 * The servers of a row about HTTP: the API and a bare one, on the same database and the same Redis, in processes of their
 * own, and a third process that asks them.
 */
import { rate, withChildren, type Bench } from '../../bench.ts';
import { Child } from '../../child.ts';
import type { Load, LoadCommands, ServerCommands } from '../../children/http/commands.ts';
import type { BenchDatabase } from '../../postgres.ts';
import { Community } from './community.ts';

const CONNECTIONS = 10;

export interface Server {
  peer: 'ours' | 'bare';
  /** @returns requests answered per second. */
  load(load: Omit<Load, 'origin' | 'connections'>): Promise<number>;
}

export interface Servers {
  community: Community;
  database: BenchDatabase;
  ours: Server;
  bare: Server;
}

export async function withServers<T>(
  bench: Bench,
  work: (servers: Servers) => Promise<T>,
): Promise<T> {
  const { redis } = bench;
  const postgres = await bench.postgres();
  const database = await postgres.create('bench-http');
  const processes = {
    ours: new Child<ServerCommands>('http/server', 'ours'),
    bare: new Child<ServerCommands>('http/server', 'bare'),
  };
  const asker = new Child<LoadCommands>('http/load');
  try {
    return await withChildren(bench, [...Object.values(processes), asker], async () => {
      const community = await Community.create(database);
      const { secret } = community;
      const place = { databaseUrl: database.url, redisUrl: redis.url, secret };
      const open = async (peer: Server['peer']): Promise<Server> => {
        const origin = await processes[peer].call('listen', place);
        return {
          peer,
          async load(load) {
            const args = { ...load, origin, connections: CONNECTIONS };
            return rate(load.requests, await asker.call('load', args));
          },
        };
      };
      return work({ community, database, ours: await open('ours'), bare: await open('bare') });
    });
  } finally {
    await database.drop();
    await redis.flush();
  }
}
