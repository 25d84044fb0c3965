/**
 * Tasks that write down every start, step and end into a file that no store holds and no fault reaches.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type, type Static } from 'typebox';
import { defineSchedule, type Schedule } from '../../../jobs/framework/beat/schedule.ts';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { JobFacts } from '../../../jobs/framework/context.ts';

const Storm = Type.Object({
  /** Takes a line for each thing that happens. */
  file: Type.String(),
  ms: Type.Integer(),
  /** Attempts that fail before one succeeds. */
  failures: Type.Integer(),
  /** What every attempt ends with it; empty for nothing. */
  ends: Type.Enum(['', 'thread', 'process']),
});
export type Storm = Static<typeof Storm>;

/** What the file says happened: in one write, so that lines of many processes do not mix. */
function note(file: string, what: string, { id, attempt, delivery = 0 }: JobFacts): void {
  appendFileSync(file, `${what} ${id} ${attempt} ${delivery} ${process.pid} ${Date.now()}\n`);
}

/** Its effects are rows of `storm_effects`, where nothing keeps one from being there twice. */
export const stormTask = defineTask({
  name: 'test.storm',
  payload: Storm,
  result: Type.Integer(),
  maxRetries: 5,
  backoff: { delayMs: 50, factor: 1, jitter: 'none' },
  async run({ file, ms, failures, ends }, ctx) {
    const { id, attempt, delivery = 0 } = ctx.job;
    note(file, 'begun', ctx.job);
    if (ends === 'process') process.kill(process.pid, 'SIGKILL');
    if (ends === 'thread') process.exit(3);
    await ctx.step('think', async () => {
      note(file, 'thought', ctx.job);
      await sleep(ms, undefined, { signal: ctx.signal });
      return delivery;
    });
    if (attempt <= failures) throw new Error('as planned');
    await ctx.transaction('effect', async (tx) => {
      await tx.query('INSERT INTO storm_effects (task_id, delivery) VALUES ($1, $2)', [
        id,
        delivery,
      ]);
      return null;
    });
    // Whatever ends it here, the next attempt must find its effect.
    await sleep(ms, undefined, { signal: ctx.signal });
    note(file, 'ended', ctx.job);
    return attempt;
  },
});

/** Lives in Redis alone: it is done at least once. */
export const transientStormTask = defineTask({
  name: 'test.storm_transient',
  durable: false,
  payload: Storm,
  result: Type.Integer(),
  maxRetries: 5,
  backoff: { delayMs: 50, factor: 1, jitter: 'none' },
  async run({ file, ms, failures }, ctx) {
    note(file, 'begun', ctx.job);
    await sleep(ms, undefined, { signal: ctx.signal });
    if (ctx.job.attempt <= failures) throw new Error('as planned');
    note(file, 'ended', ctx.job);
    return ctx.job.attempt;
  },
});

/** Does nothing: what counts is that it was asked for. */
export const slotTask = defineTask({
  name: 'test.slot',
  payload: Type.Object({}),
  result: Type.Null(),
  run: async () => null,
});

/** So many schedules, due together every second. */
export function schedulesOfStorms(count: number): Schedule[] {
  return Array.from({ length: count }, (_, index) =>
    defineSchedule({
      name: `storm-${index}`,
      everyMs: 1000,
      call: slotTask.s({}),
      catchUp: 'all',
      overlap: 'allow',
    }),
  );
}
