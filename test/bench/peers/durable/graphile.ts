/**
 * graphile-worker with the settings of its own page on performance: 24 jobs at a time from a local queue of 500, and
 * completions in batches.
 */
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { CONNECTIONS, type DurablePeer, type DurablePlace } from './peer.ts';

const TASK = 'bench';

export const graphile: DurablePeer = {
  async openClient(place) {
    const utils = await makeWorkerUtils(optionsOf(place));
    await utils.migrate();
    return {
      call: (payload) => utils.addJob(TASK, payload),
      callMany: (payloads) =>
        utils.addJobs(payloads.map((payload) => ({ identifier: TASK, payload }))),
    };
  },

  async openWorker(place, ended) {
    const taskList = { [TASK]: async () => ended.add() };
    const runner = await run({ ...optionsOf(place), taskList, noHandleSignals: true });
    runner.promise.catch((error: unknown) => ended.fail(error));
  },
};

function optionsOf({ databaseUrl }: DurablePlace) {
  return {
    logger: new Logger(() => () => undefined),
    preset: {
      worker: {
        connectionString: databaseUrl,
        maxPoolSize: CONNECTIONS,
        concurrentJobs: 24,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
  };
}
