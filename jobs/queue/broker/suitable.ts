/** Checks that a Redis server can hold a queue. */
import { nodesOf, type Node } from '../../../base/redis/cluster.ts';
import { send, type Client } from '../../../base/redis/connection.ts';
import { readInfo, unfitness } from '../../../base/redis/fitness.ts';
import { classify, QueueError } from './errors.ts';

/** @returns the cluster's nodes; undefined for a single server. @throws {QueueError} `REDIS_UNSUITABLE`, `REDIS_UNAVAILABLE` */
export async function assertSuitable(redis: Client): Promise<Node[] | undefined> {
  const ask = <T>(command: () => Promise<T>) =>
    send<T>(redis, command).catch((error: unknown) => {
      throw classify(error);
    });
  const info = readInfo(await ask(() => redis.info()));
  const reason = unfitness(info);
  if (reason !== undefined)
    throw new QueueError('REDIS_UNSUITABLE', `This Redis cannot hold a queue: ${reason}.`);
  return info.isCluster ? nodesOf(await ask(() => redis.call('CLUSTER', 'SLOTS'))) : undefined;
}
