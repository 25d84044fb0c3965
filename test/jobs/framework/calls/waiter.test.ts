/** Waiting for tasks in one process while Redis does not answer. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { revokeTasks } from '../../../../db/tasks/ends.ts';
import { acceptTask } from '../../../../db/tasks/accept.ts';
import { TaskWaiter } from '../../../../jobs/framework/calls/waiter.ts';
import { Broker } from '../../../../jobs/queue/index.ts';
import { HANG_MS } from '../../../support/patience.ts';
import { Signals } from '../../../support/signals.ts';
import { createTestDatabase, type TestDatabase } from '../../../support/stores/postgres.ts';
import { request } from '../../../support/tasks.ts';

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

test('a durable task that ends is told though another wait needs Redis, which is unavailable', async (t) => {
  const broker = new Broker({ url: 'redis://127.0.0.1:1', prefix: 'nowhere' });
  const errors = new Signals<unknown>();
  const waiter = new TaskWaiter(database.pool, broker, (error) => errors.note(error));
  t.after(async () => {
    await waiter.stop();
    broker.close();
  });
  await waiter.start();
  const { id } = await acceptTask(database.pool, request({}));
  const transient = waiter.wait(randomUUID(), 2 * HANG_MS);
  const durable = waiter.wait(id, 2 * HANG_MS).then(() => 'told');
  await errors.first(() => true);
  await revokeTasks(database.pool, [id]);
  assert.equal(await durable, 'told');
  await waiter.stop();
  await transient;
});
