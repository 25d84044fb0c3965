/**
 * Tasks that tell where they run, wear their thread out, overrun their limits, and die in every way there is.
 */
import { pbkdf2Sync } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { Type } from 'typebox';
import { defineTask as defineOurs } from '../../../jobs/define.ts';
import { defineTask, type Task } from '../../../jobs/framework/define.ts';
import type { Resources } from '../../../jobs/resources.ts';
import { HANG_MS, stretched } from '../patience.ts';
import { VANDALS } from './vandals.ts';

const result = Type.Unknown();
const transient = { durable: false, result, maxRetries: 0, payload: Type.Object({}) } as const;

/** Tells its thread, then rests until its signal. */
const where = defineTask({
  ...transient,
  name: 'test.where',
  payload: Type.Object({ ms: Type.Integer() }),
  async run({ ms }, ctx) {
    ctx.log('here', { threadId });
    await sleep(ms, undefined, { signal: ctx.signal });
    return threadId;
  },
});

const hermit = defineTask({ ...where, name: 'test.hermit', isolated: true });

const held: unknown[] = [];

/** Leaves so many MB behind on its thread. */
const litter = defineTask({
  ...transient,
  name: 'test.litter',
  payload: Type.Object({ mb: Type.Integer() }),
  async run({ mb }) {
    held.push(Array.from({ length: mb }, () => Buffer.alloc(2 ** 20)));
    return threadId;
  },
});

/** Ways to end a thread that leave the process alone. */
export const WAYS_TO_DIE = {
  'exit at once': () => process.exit(3),
  'exit in the next tick': () => process.nextTick(() => process.exit(3)),
  'throw in a timer': () =>
    void setTimeout(() => {
      throw new Error('escaped');
    }),
  'throw what is no error': () =>
    void setTimeout(() => {
      // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error
      throw undefined;
    }),
  'throw null': () =>
    void setTimeout(() => {
      // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error
      throw null;
    }),
  'reject with nobody listening': () => void Promise.reject(new Error('nobody listens')),
  'fail in a socket with nobody listening': () => void connect({ host: '127.0.0.1', port: 9 }),
  'overflow the stack': () => {
    const deeper = (): number => deeper() + 1;
    setTimeout(deeper);
  },
  'loop for ever'() {
    for (;;);
  },
  'use up the memory'() {
    // In large pieces: in small ones it takes ten times as long, and meets the time limit first.
    // oxlint-disable-next-line no-new-array
    for (const all: number[][] = []; ;) all.push(new Array<number>(2 ** 20).fill(0.5));
  },
} as const;

export type WayToDie = keyof typeof WAYS_TO_DIE;

const perish = defineTask({
  ...transient,
  name: 'test.perish',
  // To use up the memory of a thread takes as long as the machine likes.
  timeLimitMs: HANG_MS,
  payload: Type.Object({ how: Type.String() }),
  async run({ how }, ctx) {
    ctx.log('here', { threadId });
    WAYS_TO_DIE[how as WayToDie]();
    await new Promise(() => undefined);
  },
});

/** Succeeds, and throws afterwards. */
const regret = defineTask({
  ...transient,
  name: 'test.regret',
  payload: Type.Object({ ms: Type.Integer() }),
  async run({ ms }) {
    setTimeout(() => {
      throw new Error('too late');
    }, ms);
    return threadId;
  },
});

/** Succeeds, and throws afterwards what is no error. */
const lateUndefined = defineTask({
  ...transient,
  name: 'test.late-undefined',
  async run() {
    setTimeout(WAYS_TO_DIE['throw what is no error'], 100);
  },
});

const abort = defineTask({ ...transient, name: 'test.abort', run: async () => process.abort() });

const isolatedRegret = defineTask({ ...regret, name: 'test.isolated-regret', isolated: true });
/** Perishes by its hard limit alone. */
const blocking = defineTask({ ...perish, name: 'test.block', timeLimitMs: stretched(600) });

const isolatedPerish = defineTask({ ...perish, name: 'test.isolated-perish', isolated: true });

const saying = (error: unknown) => (error as Error).message;

/** Asks both stores for something they refuse, and then for something they do not. */
const refused = defineOurs({
  ...transient,
  name: 'test.refused',
  run: async (_, { cache, db }) => [
    await cache.get('list').catch(saying),
    (await cache.get('nothing')) ?? 'nothing',
    await db.query('SELECT nothing').catch(saying),
    await db.query('CREATE TABLE escaped (id int)').catch(saying),
    (await db.query("SELECT now() > 'epoch' AS later, 1.5::numeric AS some")).rows,
  ],
});

const extension = { extendMs: Type.Unknown(), ms: Type.Integer() };

/** Moves its limits, then takes so long. */
const prolong = defineTask({
  ...transient,
  name: 'test.prolong',
  timeLimitMs: stretched(1000),
  softTimeLimitMs: stretched(500),
  payload: Type.Object(extension),
  async run({ extendMs, ms }, ctx) {
    try {
      ctx.extendLimit(extendMs as number);
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    await sleep(ms, undefined, { signal: ctx.signal });
    return 'in time';
  },
});

const stretch = defineTask({ ...prolong, name: 'test.stretch', softTimeLimitMs: undefined });

/** Hard limit of what overruns it, in milliseconds. */
export const OVERRUN_MS = stretched(300);

const LIMITED = { payload: Type.Object({ block: Type.Boolean() }), result, maxRetries: 0 };
const LIMITS = { ...LIMITED, timeLimitMs: OVERRUN_MS };

/** Blocks its thread or waits, for ever; heeds no signal. */
async function overrun({ block }: { block: boolean }): Promise<never> {
  while (block);
  return new Promise(() => setInterval(() => undefined, 1000));
}

/** In a native call that no thread can be ended in. */
const native = defineTask({
  ...transient,
  name: 'test.native',
  timeLimitMs: OVERRUN_MS,
  async run(_, ctx) {
    ctx.log('calling');
    pbkdf2Sync('a', 'b', 2 ** 31 - 1, 64, 'sha512');
  },
});

/** Tells more than anybody can hear. */
const flood = defineTask({
  ...transient,
  name: 'test.flood',
  payload: Type.Object({ calls: Type.Integer() }),
  async run({ calls }, ctx) {
    for (let call = 1; call <= calls; call++) {
      ctx.log('flood', { call, text: 'x'.repeat(100) });
      ctx.progress(call / calls, 'flood');
    }
    return calls;
  },
});

/** The same past its `ctx`. */
const shout = defineTask({
  ...flood,
  name: 'test.shout',
  async run({ calls }) {
    // oxlint-disable-next-line no-console -- what a task should not use
    for (let call = 1; call <= calls; call++) console.log(`shout ${call} ${'x'.repeat(100)}`);
    return calls;
  },
});

const overruns: Task[] = [
  defineTask({ ...LIMITS, name: 'test.overrun', durable: false, run: overrun }),
  defineTask({ ...LIMITS, name: 'test.overrun-durable', run: overrun }),
  defineTask({
    ...LIMITS,
    name: 'test.overrun-isolated',
    durable: false,
    isolated: true,
    run: overrun,
  }),
];

export const TASKS_OF_THREADS: Task<Resources>[] = [
  where,
  hermit,
  litter,
  perish,
  blocking,
  isolatedPerish,
  regret,
  isolatedRegret,
  lateUndefined,
  abort,
  refused,
  prolong,
  stretch,
  native,
  flood,
  shout,
  ...overruns,
  ...VANDALS,
];
