/** How tasks are tested: one attempt at a time, or all that is queued, in the process of the test. */
import assert from 'node:assert/strict';
import { Type } from 'typebox';
import { Enqueuer } from '../../../jobs/framework/calls/enqueue.ts';
import { definerOf, type Task } from '../../../jobs/framework/define.ts';
import { Reject } from '../../../jobs/framework/errors.ts';
import { Tasks } from '../../../jobs/framework/tasks.ts';
import { Broker } from '../../../jobs/queue/index.ts';
import { drain } from '../../../workers/testing/drain.ts';
import { runTask } from '../../../workers/testing/run-task.ts';
import type { Stack } from '../../support/threads/stack.ts';

interface Shop {
  prices: Record<string, number>;
}

const quote = definerOf<Shop>()({
  name: 'example.quote',
  payload: Type.Object({ item: Type.String() }),
  result: Type.Integer(),
  async run({ item }, ctx) {
    const price = ctx.prices[item];
    if (price === undefined) throw new Reject('PRACTICE_NOT_FOUND', `There is no ${item}.`);
    return ctx.step('price', async () => price);
  },
});

/** The threads of the examples have no shop. */
export const tasks: readonly Task[] = [];

export async function run({ db, broker: { options } }: Stack): Promise<void> {
  const shop: Shop = { prices: { tea: 3 } };
  const priced = await runTask(quote, { item: 'tea' }, shop, { db });
  assert.equal(priced.kind === 'succeeded' && priced.result, 3);

  const unknown = await runTask(quote, { item: 'moon' }, shop, { db });
  assert.equal(unknown.kind === 'failed' && unknown.code, 'PRACTICE_NOT_FOUND');

  // A queue that no worker serves, as in a test of an API.
  const broker = new Broker({ ...options, prefix: `${options.prefix}-drained` });
  const registered = new Tasks<Task<Shop>>([quote]);
  const deferred = (_: string, error: unknown) => assert.fail(String(error));
  const enqueuer = new Enqueuer({ db, broker, tasks: registered, queues: [], deferred });
  const [accepted] = await enqueuer.enqueue([quote.s({ item: 'tea' }, { countdownMs: 60_000 })]);
  await enqueuer.idle();
  const [attempt] = await drain({ tasks: registered, resources: shop, db, broker });
  assert.deepEqual([attempt?.id, attempt?.end.kind], [accepted!.id, 'succeeded']);
  broker.close();
}
