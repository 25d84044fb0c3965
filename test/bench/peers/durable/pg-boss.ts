/**
 * pg-boss with its defaults, monitoring and maintenance included, and a worker with what makes it fastest: batches of
 * 1,000, the shortest interval between two looks, and none while there is work.
 */
import PgBoss from 'pg-boss';
import type { Payload } from '../peer.ts';
import { CONNECTIONS, type DurablePeer, type DurablePlace } from './peer.ts';

const QUEUE = 'bench';

export const pgBoss: DurablePeer = {
  async openClient(place) {
    const boss = await open(place, (error) => {
      throw error;
    });
    await boss.createQueue(QUEUE);
    return {
      call: (payload) => boss.send(QUEUE, payload),
      callMany: (payloads) => boss.insert(payloads.map((data) => ({ name: QUEUE, data }))),
    };
  },

  async openWorker(place, ended) {
    const boss = await open(place, (error) => ended.fail(error));
    const settings = { batchSize: 1000, pollingIntervalSeconds: 0.5 };
    const worker = await boss.work<Payload>(QUEUE, settings, async (jobs) => {
      for (const _ of jobs) ended.add();
      boss.notifyWorker(worker);
    });
  },
};

async function open(
  { databaseUrl }: DurablePlace,
  failed: (error: Error) => void,
): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: databaseUrl, max: CONNECTIONS });
  boss.on('error', failed);
  return boss.start();
}
