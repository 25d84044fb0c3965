/** Tasks to compose, and a client whose queue a test drains in its own process. */
import { Type } from 'typebox';
import { chain } from '../../../../../jobs/framework/canvas/combinators.ts';
import type { Composite } from '../../../../../jobs/framework/canvas/composition.ts';
import type { GraphOptions } from '../../../../../jobs/framework/canvas/to-request.ts';
import { defineTask, type Task } from '../../../../../jobs/framework/define.ts';
import { Reject } from '../../../../../jobs/framework/errors.ts';
import { Tasks } from '../../../../../jobs/framework/tasks.ts';
import { drain } from '../../../../../workers/testing/drain.ts';
import { testClient, type TestClient } from '../../../../support/client.ts';

const n = Type.Integer();

export const give = defineTask({
  name: 'give',
  payload: Type.Object({ n }),
  result: n,
  run: async (payload) => payload.n,
});

export const add = defineTask({
  name: 'add',
  payload: Type.Object({ n, previous: n }),
  result: n,
  run: async (payload) => payload.n + payload.previous,
});

export const gather = defineTask({
  name: 'gather',
  payload: Type.Object({ previous: Type.Array(n) }),
  result: n,
  run: async ({ previous }) => previous.reduce((sum, each) => sum + each, 0),
});

export const fail = defineTask({
  name: 'fail',
  payload: Type.Object({}),
  result: n,
  run: async () => {
    throw new Reject('TASK_FAILED', 'It fails.');
  },
});

export const batch = defineTask({
  name: 'batch',
  payload: Type.Object({ items: Type.Array(n) }),
  result: n,
  run: async ({ items }) => items.reduce((sum, each) => sum + each, 0),
});

export const tell = defineTask({
  name: 'tell',
  payload: Type.Object({}),
  result: Type.Null(),
  run: async () => null,
});

/** Fails for good while it is told to. */
export const once = {
  fails: false,
  task: defineTask({
    name: 'once',
    payload: Type.Object({}),
    result: n,
    async run() {
      if (once.fails) throw new Reject('TASK_FAILED', 'It fails.');
      return 1;
    },
  }),
};

/** Enqueues two compositions, one of them in a transaction, at each of two attempts. */
export const parent = defineTask({
  name: 'parent',
  payload: Type.Object({}),
  result: Type.Array(Type.String()),
  maxRetries: 1,
  backoff: { delayMs: 1, jitter: 'none' },
  async run(_, ctx) {
    const work = chain(give.s({ n: 1 }), add.s({ n: 2 }));
    const ids = [
      await ctx.enqueue(work),
      await ctx.transaction('one more', (tx) => tx.enqueue(work)),
    ];
    if (ctx.job.attempt === 1) throw new Error('once more');
    return ids;
  },
});

export const TASKS = { give, add, gather, batch, fail, tell, once: once.task, parent };

export interface CanvasWorld extends TestClient {
  /** Runs all there is to run. */
  drain(): Promise<void>;
  /** Runs a composition. @throws what its result throws. */
  result<R>(work: Composite<R>, options?: GraphOptions): Promise<unknown>;
}

/** @param of default: all of this file. */
export function canvasWorld(of: readonly Task[] = Object.values(TASKS)): CanvasWorld {
  const tasks = new Tasks(of);
  const made = testClient(tasks) as CanvasWorld;
  made.drain = async () => {
    await made.client.idle();
    await drain({ tasks, resources: {}, db: made.database.pool, broker: made.broker });
  };
  made.result = async (work, options) => {
    const { id } = await made.client.enqueue(work, options);
    await made.drain();
    return made.client.graphs.result(id).get({ timeoutMs: 1 });
  };
  return made;
}
