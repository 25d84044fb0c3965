/**
 * When things are done by themselves: to see, to change, and to do now.
 */
import { scheduleBody } from '../api/routes/schedules.ts';
import { AppError } from '../errors.ts';
import { ScheduleBook, type ScheduleChange } from '../jobs/beat/book.ts';
import { localTime } from '../jobs/beat/upcoming.ts';
import { Zone } from '../jobs/beat/zone.ts';
import { SCHEDULES } from '../jobs/schedules.ts';
import { Submitter } from '../jobs/submit.ts';
import { say } from '../output.ts';
import { Telemetry } from '../telemetry.ts';
import { JSON_OPTION } from './ask.ts';
import { UsageProblem, type Command, type Commands, type Input } from './command.ts';
import { withQueue } from './stores.ts';
import { show, table } from './table.ts';

/** How changes made here are signed. */
const BY = 'cli';
const NAME = { takes: '<name>', words: [1, 1] } as const;

type Body = ReturnType<typeof scheduleBody>;

async function withBook<T>(work: (book: ScheduleBook) => Promise<T>): Promise<T> {
  return withQueue(async ({ broker, db }) => {
    const deferred = (): void => say('The queue is away: the scheduler hands the task over later.');
    const submitter = new Submitter({ db: db(), broker, queues: [], deferred });
    const deps = { db: db(), submitter, schedules: SCHEDULES, telemetry: new Telemetry() };
    try {
      return await work(new ScheduleBook(deps));
    } catch (error) {
      // What is under way already is no mistake of whoever asks.
      const isMistake = error instanceof AppError && (error.status === 404 || error.status === 422);
      if (isMistake) throw new UsageProblem(error.message);
      throw error;
    } finally {
      await submitter.idle();
    }
  });
}

/** A command that changes one schedule. */
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
    describe: 'show when things are done by themselves, and how it went last',
    options: JSON_OPTION,
    run: (input) =>
      withBook(async (book) => {
        const bodies = (await book.list()).map(scheduleBody);
        show(input.has('json'), { schedules: bodies }, () => linesOf(bodies));
      }),
  },
  'schedules pause': changing({ describe: 'keep a schedule from firing' }, () => ({
    enabled: false,
  })),
  'schedules resume': changing({ describe: 'let a schedule fire again, from now on' }, () => ({
    enabled: true,
  })),
  'schedules edit': changing(
    {
      describe: 'change when a schedule is due',
      options: {
        cron: { kind: 'text', describe: 'five fields, or six with seconds in front' },
        'every-ms': { kind: 'number', describe: 'milliseconds between two slots' },
        timezone: { kind: 'text', describe: 'whose clocks cron speaks of' },
      },
      examples: {
        'schedules edit update-embeddings --cron "30 * * * *"': 'half past every hour',
      },
    },
    timetableOf,
  ),
  'schedules reset': changing({ describe: 'put back what the code says of a schedule' }, () => ({
    enabled: null,
    cron: null,
    everyMs: null,
    timezone: null,
  })),
  'schedules run': {
    ...NAME,
    describe: 'do now what a schedule does',
    run: ({ words: [name = ''] }) =>
      withBook(async (book) => say(`Task ${await book.run(name, BY)} is accepted.`)),
  },
};

function linesOf(bodies: readonly Body[]): string[] {
  const rows = bodies.map((body) => {
    const [next] = body.next_runs;
    const [last] = body.last_runs;
    return [
      body.name,
      `${body.cron ?? `every ${body.every_ms} ms`}${body.edited?.fields.length ? ' (edited)' : ''}`,
      body.timezone,
      next === undefined ? (body.enabled ? 'never' : 'paused') : next.local,
      last === undefined ? '-' : localTime(Zone.of(body.timezone), Date.parse(last.slot)),
      last === undefined ? '-' : last.outcome === 'skipped' ? 'skipped' : (last.status ?? 'gone'),
    ];
  });
  return table(['SCHEDULE', 'WHEN', 'TIME ZONE', 'NEXT', 'LAST', 'OUTCOME'], rows);
}
