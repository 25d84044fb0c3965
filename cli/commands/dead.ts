/** Commands for dead letters: tasks that failed for good. */
import { setCallsAside } from '../../db/llm/calls.ts';
import { count } from '../../base/count.ts';
import {
  deadLetters,
  purgeDeadLetters,
  removeDeadLetters,
  requeueDeadLetters,
  type RequeueWord,
} from '../../jobs/framework/calls/dead-letters.ts';
import type { JobStatus } from '../../jobs/queue/index.ts';
import { JSON_OPTION } from '../ask.ts';
import { idsOf, UsageProblem, type Commands, type Input, type Option } from '../command.ts';
import { TASKS } from '../../jobs/tasks.ts';
import { withQueue, type QueueStores } from '../stores.ts';
import { show, table } from '../table.ts';

/** Default limit of `list`. */
const SHOWN = 50;
/** Dead letters requeued per call. */
const BATCH = 100;

const FILTERS = {
  task: { kind: 'text', describe: 'only dead letters of this task' },
  queue: { kind: 'text', describe: 'only dead letters of this queue' },
  code: { kind: 'text', describe: 'only dead letters with this error code' },
} as const satisfies Record<string, Option>;

function passes(input: Input, { job, reason }: JobStatus): boolean {
  const facts = { task: job?.task, queue: job?.queue, code: reason?.code };
  return (['task', 'queue', 'code'] as const).every((name) => {
    const wanted = input.text(name);
    return wanted === undefined || wanted === facts[name];
  });
}

async function list(input: Input): Promise<void> {
  await withQueue(async ({ inspector }) => {
    const most = input.number('limit') ?? SHOWN;
    const found: JobStatus[] = [];
    let total = 0;
    for await (const letter of deadLetters(inspector)) {
      if (!passes(input, letter)) continue;
      total++;
      if (found.length < most) found.push(letter);
    }
    show(input.has('json'), { total, deadLetters: found.map(summary) }, () => [
      ...lettersOf(found.map(summary)),
      found.length < total
        ? `${found.length} of ${total} shown: --limit shows more.`
        : count(total, 'dead letter'),
    ]);
  });
}

function summary({ id, job, reason, counts }: JobStatus) {
  return {
    id,
    task: job?.task ?? '?',
    queue: job?.queue ?? '?',
    code: reason?.code ?? '?',
    message: reason?.message ?? '',
    deaths: counts.deaths,
  };
}

function lettersOf(letters: readonly ReturnType<typeof summary>[]): string[] {
  if (letters.length === 0) return [];
  const rows = letters.map(({ id, task, queue, code, message }) => [
    id,
    task,
    queue,
    code,
    message,
  ]);
  return table(['JOB', 'TASK', 'QUEUE', 'CODE', 'MESSAGE'], rows);
}

/** @returns 1 when the id is not a dead letter. */
async function showOne(input: Input): Promise<number> {
  return withQueue(async ({ inspector }) => {
    const [id = ''] = idsOf(input);
    const letter = await inspector.status(id);
    const { counts, job, reason, state } = letter;
    show(input.has('json'), letter, () =>
      state === 'failed'
        ? [
            `task     ${job?.task ?? '?'}`,
            `queue    ${job?.queue ?? '?'}`,
            `asked    ${job === undefined ? '?' : new Date(job.createdAtMs).toISOString()}`,
            `code     ${reason?.code ?? '?'}`,
            `message  ${reason?.message ?? ''}`,
            `charged  ${count(counts.attempts, 'attempt')}, ${count(counts.deaths, 'death')}`,
            `cause    ${(reason?.cause ?? '?').replaceAll('\n', `\n${' '.repeat(9)}`)}`,
            `payload  ${job?.payload ?? '?'}`,
          ]
        : [`${id} is not a dead letter: its state is ${state}.`],
    );
    return state === 'failed' ? 0 : 1;
  });
}

/** @returns 1 when a dead letter was not requeued. */
async function requeue(input: Input): Promise<number> {
  const isAll = input.has('all');
  const isFiltered = Object.keys(FILTERS).some((name) => input.has(name));
  if (isAll === input.words.length > 0 || (isFiltered && !isAll)) {
    throw new UsageProblem(
      'Name the dead letters: ids, or --all with --task, --queue or --code to filter.',
    );
  }
  const named = idsOf(input);
  return withQueue(async (stores) => {
    const ids = isAll ? await idsOfAll(stores, input) : named;
    const done: { id: string; word: RequeueWord }[] = [];
    for (let from = 0; from < ids.length; from += BATCH) {
      const some = ids.slice(from, from + BATCH);
      const words = await requeueDeadLetters(
        { ...stores, tasks: TASKS, onReopen: setCallsAside },
        some,
      );
      done.push(...some.map((id, index) => ({ id, word: words[index]! })));
    }
    const left = done.filter(({ word }) => word !== 'requeued');
    show(input.has('json'), { requeued: done.length - left.length, left }, () => [
      ...left.map(({ id, word }) => `${id}  ${SENTENCES[word]}`),
      `${count(done.length - left.length, 'dead letter')} requeued.`,
    ]);
    return left.length === 0 ? 0 : 1;
  });
}

const SENTENCES: Record<RequeueWord, string> = {
  requeued: 'runs again',
  newer: 'not requeued: a newer task for the same work is unfinished',
  not_failed: 'is not a dead letter',
};

async function idsOfAll({ inspector }: QueueStores, input: Input): Promise<string[]> {
  const ids: string[] = [];
  for await (const letter of deadLetters(inspector)) {
    if (passes(input, letter)) ids.push(letter.id);
  }
  return ids;
}

/** @returns 1 when an id was not a dead letter. */
async function remove(input: Input): Promise<number> {
  const ids = idsOf(input);
  return withQueue(async (stores) => {
    const removed = await removeDeadLetters({ ...stores, tasks: TASKS }, ids);
    const left = ids.filter((_, index) => !removed[index]);
    const done = ids.length - left.length;
    show(input.has('json'), { removed: done, left }, () => [
      ...left.map((id) => `${id}  is not a dead letter`),
      `${count(done, 'dead letter')} deleted.`,
    ]);
    return left.length === 0 ? 0 : 1;
  });
}

async function purge(input: Input): Promise<void> {
  await withQueue(async (stores) => {
    if (!input.has('yes')) {
      const { failed } = await stores.inspector.overview();
      throw new UsageProblem(
        `This deletes ${count(failed, 'dead letter')} for good. To confirm: --yes`,
      );
    }
    const purged = await purgeDeadLetters({ ...stores, tasks: TASKS });
    show(input.has('json'), { purged }, () => [`${count(purged, 'dead letter')} deleted.`]);
  });
}

export const dead: Commands = {
  'dead list': {
    describe: 'list dead letters, oldest first',
    options: {
      ...FILTERS,
      limit: { kind: 'number', describe: `maximum number to show; default ${SHOWN}` },
      ...JSON_OPTION,
    },
    run: list,
  },
  'dead show': {
    takes: '<id>',
    words: [1, 1],
    describe: 'show one dead letter with its payload',
    options: JSON_OPTION,
    run: showOne,
  },
  'dead requeue': {
    takes: '<id...> | --all',
    words: [0, 500],
    describe: 'requeue dead letters, with all attempts available again',
    options: {
      all: { kind: 'flag', describe: 'all dead letters' },
      ...FILTERS,
      ...JSON_OPTION,
    },
    examples: {
      'dead requeue --all --code LLM_UNAVAILABLE':
        'requeues tasks that failed while the model was unavailable',
    },
    run: requeue,
  },
  'dead remove': {
    takes: '<id...>',
    words: [1, 500],
    describe: 'delete these dead letters',
    options: JSON_OPTION,
    run: remove,
  },
  'dead purge': {
    describe: 'delete all dead letters',
    options: { yes: { kind: 'flag', describe: 'confirm' }, ...JSON_OPTION },
    run: purge,
  },
};
