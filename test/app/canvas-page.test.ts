/** The example of docs/canvas.md with a task of the application, on the application. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { packagePath } from '../../base/package-path.ts';
import { Telemetry } from '../../base/telemetry/telemetry.ts';
import { generateAiFeedback } from '../../jobs/feedback/task.ts';
import { createTaskClient } from '../../jobs/framework/calls/client.ts';
import { TaskWaiter } from '../../jobs/framework/calls/waiter.ts';
import { group } from '../../jobs/framework/canvas/combinators.ts';
import type { Composite } from '../../jobs/framework/canvas/composition.ts';
import { Tasks } from '../../jobs/framework/tasks.ts';
import { Broker } from '../../jobs/queue/index.ts';
import { startTestApp, type TestApp } from '../support/app/app.ts';

let app: TestApp;
before(async () => {
  app = await startTestApp();
});
after(() => app.stop());

test('feedback on each practice is a group of calls', async (t) => {
  const page = readFileSync(packagePath('docs', 'canvas.md'), 'utf8');
  const [, code = ''] = /```ts\n(group\(practices[^`]+)```/.exec(page)!;
  const person = await app.person();
  const practices = [await person.practice(), await person.practice()];
  const work = runInNewContext(code, { group, generateAiFeedback, practices }) as Composite;
  const db = app.database.pool;
  const broker = new Broker({ url: app.config.redisUrl, prefix: app.config.queuePrefix });
  const waiter = new TaskWaiter(db, broker, () => undefined);
  const tasks = createTaskClient({
    db,
    broker,
    waiter,
    telemetry: new Telemetry(),
    tasks: new Tasks([generateAiFeedback]),
    queues: app.config.workerQueues,
  });
  await broker.open();
  await waiter.start();
  t.after(async () => {
    await tasks.idle();
    await waiter.stop();
    broker.close();
  });
  const { id } = await tasks.enqueue(work);
  const results = await tasks.graphs
    .result<{ practice_id: string }[]>(id)
    .get({ timeoutMs: 60_000 });
  assert.deepEqual(
    results.map((result) => result.practice_id),
    practices,
  );
});
