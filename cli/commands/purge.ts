/** Deleting the jobs that wait in a queue. */
import { count } from '../../base/count.ts';
import { QUEUE_NAME } from '../../jobs/queue/index.ts';
import { JSON_OPTION } from '../ask.ts';
import { UsageProblem, type Command, type Input } from '../command.ts';
import { withQueue, type QueueStores } from '../stores.ts';
import { show } from '../table.ts';

const PAGE = 500;

async function countDelayed({ inspector }: QueueStores, queue: string): Promise<number> {
  let found = 0;
  for (let offset = 0; ; offset += PAGE) {
    const page = await inspector.page({ list: 'delayed' }, { offset, limit: PAGE });
    found += page.filter(({ about }) => about?.queue === queue).length;
    if (page.length < PAGE) return found;
  }
}

async function purge(input: Input): Promise<void> {
  const [queue = ''] = input.words;
  if (!QUEUE_NAME.test(queue)) {
    throw new UsageProblem('A queue name has 1 to 64 letters, digits, "_", "." or "-".');
  }
  const isDelayed = input.has('delayed');
  const what = isDelayed ? 'delayed job' : 'waiting job';
  await withQueue(async (stores) => {
    const { control, inspector } = stores;
    if (!input.has('yes')) {
      const jobs = isDelayed ? await countDelayed(stores, queue) : await inspector.waiting(queue);
      throw new UsageProblem(`This deletes ${count(jobs, what)} of ${queue}. To confirm: --yes`);
    }
    const purged = await (isDelayed ? control.purgeDelayed(queue) : control.purge(queue));
    show(input.has('json'), { purged }, () => [`${count(purged, what)} deleted.`]);
  });
}

export const purgeCommand: Command = {
  takes: '<queue>',
  words: [1, 1],
  describe: 'delete the waiting jobs of a queue; the reconciler dispatches durable tasks again',
  options: {
    delayed: { kind: 'flag', describe: 'its delayed jobs and retries instead' },
    yes: { kind: 'flag', describe: 'confirm' },
    ...JSON_OPTION,
  },
  run: purge,
};
