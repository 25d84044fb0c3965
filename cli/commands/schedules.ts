/** Commands that list, edit and run schedules. */
import { scheduleBody, scheduleDetailBody } from '../../api/schedules/bodies.ts';
import { AppError } from '../../base/errors.ts';
import { ScheduleBook, type ScheduleChange } from '../../jobs/framework/beat/book.ts';
import { inWordsOf } from '../../jobs/framework/beat/problem.ts';
import { localTime } from '../../jobs/framework/beat/upcoming.ts';
import { Zone } from '../../jobs/framework/beat/zone.ts';
import { SCHEDULES } from '../../jobs/schedules.ts';
import { Enqueuer } from '../../jobs/framework/calls/enqueue.ts';
import { TASKS } from '../../jobs/tasks.ts';
import { say } from '../output.ts';
import { Telemetry } from '../../base/telemetry/telemetry.ts';
import { JSON_OPTION } from '../ask.ts';
import { UsageProblem, type Command, type Commands, type Input } from '../command.ts';
import { withQueue, type QueueStores } from '../stores.ts';
import { show, table } from '../table.ts';

/** Author recorded for changes by the CLI. */
const BY = 'cli';
const NAME = { takes: '<name>', words: [1, 1] } as const;

type Body = ReturnType<typeof scheduleBody>;

async function withBook<T>(work: (book: ScheduleBook) => Promise<T>): Promise<T> {
  const onBook = async ({ broker, db }: QueueStores): Promise<T> => {
    const deferred = (): void =>
      say('Redis is unavailable: the scheduler enqueues the task later.');
    const enqueuer = new Enqueuer({ db: db(), broker, tasks: TASKS, queues: [], deferred });
    const deps = { db: db(), enqueuer, schedules: SCHEDULES, telemetry: new Telemetry() };
    try {
      return await work(new ScheduleBook(deps));
    } catch (thrown) {
      const error = inWordsOf(thrown, '--every-ms');
      // A run under way (409) is not a usage error.
      const isMistake = error instanceof AppError && (error.status === 404 || error.status === 422);
      if (isMistake) throw new UsageProblem(error.message);
      throw error;
    } finally {
      await enqueuer.idle();
    }
  };
  // Schedules are in Postgres.
  return withQueue(onBook, { needsRedis: false });
}

function changing(
  about: Pick<Command, 'describe' | 'options' | 'examples'>,
  changeOf: (input: Input) => ScheduleChange,
): Command {
  return {
    ...NAME,
    ...about,
    options: { ...about.options, ...JSON_OPTION },
    run: async (input) => {
      const change = changeOf(input);
      return withBook(async (book) => {
        const body = scheduleBody(await book.edit(input.words[0]!, change, BY));
        show(input.has('json'), body, () => linesOf([body]));
      });
    },
  };
}

function timetableOf(input: Input): ScheduleChange {
  const [cron, everyMs, timezone] = [
    input.text('cron'),
    input.number('every-ms'),
    input.text('timezone'),
  ];
  if (cron === undefined && everyMs === undefined && timezone === undefined) {
    throw new UsageProblem('Say what to change: --cron, --every-ms or --timezone.');
  }
  return {
    ...(cron === undefined ? {} : { cron }),
    ...(everyMs === undefined ? {} : { everyMs }),
    ...(timezone === undefined ? {} : { timezone }),
  };
}

export const schedules: Commands = {
  'schedules list': {
    describe: 'list schedules with their next and last run',
    options: JSON_OPTION,
    run: (input) =>
      withBook(async (book) => {
        const bodies = (await book.list()).map(scheduleBody);
        show(input.has('json'), { schedules: bodies }, () => linesOf(bodies));
      }),
  },
  'schedules show': {
    ...NAME,
    describe: 'show one schedule: its next and last runs, and its changes',
    options: JSON_OPTION,
    run: ({ words: [name = ''], has }) =>
      withBook(async (book) => {
        const body = scheduleDetailBody(await book.find(name), await book.changes(name));
        show(has('json'), body, () => detailsOf(body));
      }),
  },
  'schedules pause': changing({ describe: 'pause a schedule' }, () => ({
    enabled: false,
  })),
  'schedules resume': changing({ describe: 'resume a schedule from now on' }, () => ({
    enabled: true,
  })),
  'schedules edit': changing(
    {
      describe: 'change when a schedule is due',
      options: {
        cron: { kind: 'text', describe: 'five fields, or six that start with seconds' },
        'every-ms': { kind: 'number', describe: 'milliseconds between two slots' },
        timezone: { kind: 'text', describe: 'time zone of the cron expression' },
      },
      examples: {
        'schedules edit update-embeddings --cron "30 * * * *"': 'half past every hour',
      },
    },
    timetableOf,
  ),
  'schedules reset': changing({ describe: 'undo all changes to a schedule' }, () => ({
    enabled: null,
    cron: null,
    everyMs: null,
    timezone: null,
  })),
  'schedules run': {
    ...NAME,
    describe: 'run a schedule now',
    options: JSON_OPTION,
    run: ({ words: [name = ''], has }) =>
      withBook(async (book) => {
        const id = await book.run(name, BY);
        show(has('json'), { task_id: id }, () => [`Task ${id} is accepted.`]);
      }),
  },
};

function linesOf(bodies: readonly Body[]): string[] {
  const rows = bodies.map((body) => {
    const [next] = body.next_runs;
    const [last] = body.last_runs;
    return [
      body.name,
      whenOf(body),
      body.timezone,
      next?.local ?? (body.problem !== null ? 'broken' : body.enabled ? 'never' : 'paused'),
      last === undefined ? '-' : localOf(body, last.slot),
      last === undefined ? '-' : outcomeOf(last),
    ];
  });
  const problems = bodies.flatMap(({ name, problem }) =>
    problem === null
      ? []
      : [`${name} does not fire. ${problem} "schedules reset" undoes the edit.`],
  );
  return [
    ...table(['SCHEDULE', 'WHEN', 'TIME ZONE', 'NEXT', 'LAST', 'OUTCOME'], rows),
    ...problems,
  ];
}

function detailsOf(body: ReturnType<typeof scheduleDetailBody>): string[] {
  const { next_runs: next, last_runs: last, changes } = body;
  return [
    ...linesOf([body]),
    ...(next.length === 0 ? [] : ['', 'Next runs']),
    ...next.map(({ local, note }) => `  ${local}${note === null ? '' : `  ${note}`}`),
    ...(last.length === 0 ? [] : ['', 'Last runs']),
    ...indented(
      ['DUE', 'LATE', 'OUTCOME', 'TASK', 'ASKED BY'],
      last.map((run) => [
        localOf(body, run.slot),
        `${run.lateness_ms} ms`,
        outcomeOf(run),
        run.task_id,
        run.asked_by ?? '-',
      ]),
    ),
    ...(changes.length === 0 ? [] : ['', 'Manual changes']),
    ...indented(
      ['AT', 'BY', 'CHANGE'],
      changes.map(({ at, by, from, to, task_id: id }) => [
        localOf(body, at),
        by,
        id === null ? `${JSON.stringify(from)} -> ${JSON.stringify(to)}` : `run ${id}`,
      ]),
    ),
  ];
}

function indented(names: readonly string[], rows: readonly string[][]): string[] {
  return rows.length === 0 ? [] : table(names, rows).map((line) => `  ${line}`);
}

const whenOf = ({ cron, every_ms: ms, edited }: Body): string => {
  const isEdited = edited?.fields.some((field) => field !== 'enabled') ?? false;
  return `${cron ?? `every ${ms} ms`}${isEdited ? ' (edited)' : ''}`;
};

const localOf = ({ timezone }: Body, instant: string): string =>
  localTime(Zone.of(timezone), Date.parse(instant));

const outcomeOf = ({ outcome, status, error_code: code }: Body['last_runs'][number]): string =>
  outcome === 'skipped' ? 'skipped' : [status ?? 'gone', code].filter(Boolean).join(' ');
