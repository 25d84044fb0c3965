/**
 * Tasks that do what no task of the application should, beside the real ones. Threads that run `test-thread.ts` know
 * them.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type, type Static } from 'typebox';
import { defineTask } from '../../../jobs/define.ts';
import { Reject } from '../../../jobs/framework/errors.ts';
import { Tasks } from '../../../jobs/framework/tasks.ts';
import { TASKS } from '../../../jobs/tasks.ts';
import { stretched } from '../patience.ts';
import { slotTask, stormTask, transientStormTask } from './storm-tasks.ts';
import { TASKS_OF_THREADS } from './odd-tasks.ts';
import { ODD_VALUE_TASKS } from './odd-values.ts';

/** Hard limit of what blocks its thread, in milliseconds. */
const LOOP_MS = stretched(600);

const result = Type.Unknown();
const transient = { durable: false, result, maxRetries: 0 } as const;

const echo = defineTask({
  ...transient,
  name: 'test.echo',
  payload: Type.Object({ word: Type.String() }),
  run: async ({ word }) => word,
});

const rest = defineTask({
  ...transient,
  name: 'test.rest',
  payload: Type.Object({ ms: Type.Integer() }),
  async run({ ms }, ctx) {
    ctx.log('resting');
    await sleep(ms);
    return 'rested';
  },
});

/** Rests as well, and may not do so for longer than a looping job may block its thread. */
const nap = defineTask({ ...rest, name: 'test.nap', timeLimitMs: LOOP_MS });

/** Waits for its signal. */
const obey = defineTask({
  ...transient,
  name: 'test.obey',
  payload: Type.Object({}),
  async run(_, ctx) {
    ctx.log('waiting');
    ctx.progress(0.5, 'half way');
    await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
    ctx.log(`aborted: ${String(ctx.signal.reason)}`);
    throw new Error('aborted');
  },
});

/** Waits for its signal, and may not do so for long. */
const hurry = defineTask({ ...obey, name: 'test.hurry', maxRetries: 1, softTimeLimitMs: 50 });

/** Ends only once its signal says that it should have. */
const overstay = defineTask({
  ...transient,
  name: 'test.overstay',
  payload: Type.Object({}),
  async run(_, ctx) {
    ctx.log('waiting');
    await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
    ctx.log('done all the same');
    return 'done';
  },
});

/** Never ends, whatever its signal says. */
const ignore = defineTask({
  ...transient,
  name: 'test.ignore',
  payload: Type.Object({}),
  async run(_, ctx) {
    ctx.log('ignoring');
    await new Promise(() => setInterval(() => undefined, 1000));
  },
});

const Diary = Type.Object({
  file: Type.String(),
  ms: Type.Integer(),
  /** Instead of `ms`, the first time it is begun. */
  firstMs: Type.Optional(Type.Integer()),
});

/** Writes a line where it begins and one where it ends into a file that outlives every process. */
async function keepDiary(
  { file, ms, firstMs = ms }: Static<typeof Diary>,
  { id, attempt }: { id: string; attempt: number },
): Promise<string> {
  const isFirst = !readFileSync(file, 'utf8').includes(`begun ${id} `);
  appendFileSync(file, `begun ${id} ${attempt} ${process.pid}\n`);
  await sleep(isFirst ? firstMs : ms);
  appendFileSync(file, `ended ${id} ${attempt} ${process.pid}\n`);
  return 'written';
}

/** Never looks at its signal. */
const diary = defineTask({
  ...transient,
  name: 'test.diary',
  payload: Diary,
  run: (payload, ctx) => keepDiary(payload, ctx.job),
});

const durableDiary = defineTask({
  name: 'test.durable_diary',
  payload: Diary,
  result,
  run: (payload, ctx) => keepDiary(payload, ctx.job),
});

/** Fails for good. */
const fail = defineTask({
  name: 'test.fail',
  payload: Type.Object({}),
  result,
  maxRetries: 0,
  async run() {
    throw new Reject('LLM_UNAVAILABLE', 'The model is away.');
  },
});

/** Fails, and is tried again ten minutes later. */
const stumble = defineTask({
  name: 'test.stumble',
  payload: Type.Object({}),
  result,
  maxRetries: 1,
  backoff: { delayMs: 600_000, jitter: 'none' },
  async run() {
    throw new Error('not yet');
  },
});

const WAYS_TO_DIE = {
  exit: () => process.exit(3),
  throw: () =>
    void setTimeout(() => {
      throw new Error('escaped');
    }),
  reject: () => void Promise.reject(new Error('nobody listens')),
  loop() {
    for (;;);
  },
  hoard() {
    for (const held: number[][] = []; ;) held.push(Array.from({ length: 10_000 }, Math.random));
  },
} as const;

const die = defineTask({
  ...transient,
  name: 'test.die',
  timeLimitMs: LOOP_MS,
  payload: Type.Object({ how: Type.Enum(['exit', 'throw', 'reject', 'loop', 'hoard']) }),
  async run({ how }, ctx) {
    ctx.log('dying');
    WAYS_TO_DIE[how]();
    await new Promise(() => undefined);
  },
});

const poison = defineTask({
  name: 'test.poison',
  payload: Type.Object({}),
  result,
  async run() {
    process.exit(3);
  },
});

/** Loads an ES module the synchronous way. */
const requireModule = defineTask({
  ...transient,
  name: 'test.require',
  payload: Type.Object({}),
  async run() {
    try {
      createRequire(import.meta.url)('../signals.js');
      return 'loaded';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  },
});

const ORDINARY = [echo, rest, nap, obey, hurry, overstay, ignore, diary, durableDiary];
const FAILING = [fail, stumble, die, poison];
const STORMS = [stormTask, transientStormTask, slotTask];

/** Those of the application, and those of tests. */
export const TASKS_OF_TESTS = new Tasks([
  ...TASKS,
  ...ORDINARY,
  ...FAILING,
  ...STORMS,
  ...TASKS_OF_THREADS,
  ...ODD_VALUE_TASKS,
  requireModule,
]);
