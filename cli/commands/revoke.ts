/** Revoking tasks: by id, or all that fit a filter. */
import { count } from '../../base/count.ts';
import { countOpen } from '../../db/tasks/ends.ts';
import { assertFilter, revoke, revokeWhere } from '../../jobs/framework/calls/revoke.ts';
import { TASKS } from '../../jobs/tasks.ts';
import { JSON_OPTION } from '../ask.ts';
import { idsOf, UsageProblem, type Command, type Input, type Option } from '../command.ts';
import { withQueue, type QueueStores } from '../stores.ts';
import { show, table } from '../table.ts';

interface Revoked {
  id: string;
  /** Whether the row in Postgres was revoked. */
  row: boolean;
  /** Answer of the queue; `unavailable` without Redis. */
  job: string;
}

export async function revokeThem(
  { control: steering, db }: QueueStores,
  ids: readonly string[],
): Promise<Revoked[]> {
  const stores = { db: db(), control: steering };
  const revoked = await revoke(stores, ids, {
    reason: 'It was revoked by an operator.',
    evenEnded: true,
  });
  return Promise.all(
    revoked.map(async ({ id, row, job }) => ({
      id,
      row: row === 'revoked',
      job: await job.catch(() => 'unavailable'),
    })),
  );
}

const FILTER = {
  task: { kind: 'text', describe: 'unfinished tasks of this name' },
  user: { kind: 'text', describe: 'unfinished tasks of this user' },
  subject: { kind: 'text', describe: 'unfinished tasks about this subject' },
  queue: { kind: 'text', describe: 'unfinished tasks in this queue' },
} as const satisfies Record<string, Option>;

/** Shows how many tasks fit, and revokes them once confirmed. */
async function revokeFitting(input: Input): Promise<void> {
  const [task, userId, subject, queue] = [
    input.text('task'),
    input.text('user'),
    input.text('subject'),
    input.text('queue'),
  ];
  const filter = { task, userId, subject, queue };
  assertFilter(filter, TASKS);
  await withQueue(
    async ({ control: steering, db }) => {
      if (!input.has('yes')) {
        const { tasks } = await countOpen(db(), filter);
        throw new UsageProblem(`This revokes ${count(tasks, 'task')}. To confirm: --yes`);
      }
      const stores = { db: db(), control: steering };
      const done = await revokeWhere(stores, filter, 'It was revoked by an operator.');
      show(input.has('json'), done, () => [
        `${count(done.revoked, 'task')} revoked.`,
        ...(done.unreached > 0
          ? [`Redis is unavailable: ${count(done.unreached, 'job')} stay in it and will not run.`]
          : []),
      ]);
    },
    { needsRedis: false },
  );
}

async function revokeAll(input: Input): Promise<number> {
  const isFiltered = Object.keys(FILTER).some((name) => input.has(name));
  if (isFiltered === input.words.length > 0) {
    throw new UsageProblem('Name the tasks: ids, or --task, --user, --subject or --queue.');
  }
  if (isFiltered) {
    await revokeFitting(input);
    return 0;
  }
  const ids = idsOf(input);
  return withQueue(
    async (stores) => {
      const revoked = await revokeThem(stores, ids);
      show(input.has('json'), { tasks: revoked }, () =>
        table(
          ['TASK', 'IN THE QUEUE', 'IN POSTGRES'],
          revoked.map(({ id, row, job }) => [id, job, row ? 'revoked' : 'no unfinished row']),
        ),
      );
      return revoked.every(({ row, job }) => row || job === 'revoked') ? 0 : 1;
    },
    { needsRedis: false },
  );
}

export const revokeCommand: Command = {
  takes: '<id...> | --task <name> …',
  words: [0, 500],
  describe: 'revoke tasks, waiting or running: by id, or all unfinished durable ones that fit',
  options: { ...FILTER, yes: { kind: 'flag', describe: 'confirm a filter' }, ...JSON_OPTION },
  examples: {
    'control revoke --task generate_ai_feedback --user 3f2a… --yes':
      'revokes what this user has asked for and not got yet',
  },
  run: revokeAll,
};
