/**
 * Accepted work that nobody gets to is bounded, and every process tells how it is.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ResolvedConfig } from '../../base/config.ts';
import { startAnswering } from '../support/app/answering.ts';
import { startTestApp, type TestApp, type TaskBody } from '../support/app/app.ts';
import { eventually } from '../support/queue/consumers.ts';

interface Ready {
  status: string;
  dependencies: Record<string, string>;
  backlog?: { tasks: number; oldest_ms: number; full: boolean };
}

async function start(t: TestContext, overrides: Partial<ResolvedConfig>): Promise<TestApp> {
  const others = await startAnswering();
  const stores = { clickhouseUrl: others.url, qdrantUrl: others.url };
  const app = await startTestApp(() => ({ ...stores, ...overrides }));
  t.after(async () => {
    await app.stop();
    others.stop();
  });
  return app;
}

async function get(app: TestApp, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(new URL(path, app.app.origin));
  return { status: response.status, text: await response.text() };
}

const readyOf = async (app: TestApp) => JSON.parse((await get(app, '/ready')).text) as Ready;

for (const [bound, overrides] of [
  ['as many as may wait', { backlogMaxRows: 3 }],
  ['one that has waited for as long as one may', { backlogMaxAgeMs: 1000 }],
] as const) {
  test(`with ${bound}, no more is accepted`, async (t) => {
    const app = await start(t, { role: 'api', ...overrides });
    const person = await app.person();
    const ask = async () =>
      person.call<{ task_id: string; error?: { code: string } }>(
        'POST',
        `/practices/${await person.practice()}/feedback`,
      );
    const accepted: string[] = [];
    let refused = await ask();
    while (refused.status === 202) {
      accepted.push(refused.body.task_id);
      refused = await ask();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual([refused.status, refused.body.error?.code], [503, 'BACKLOG_FULL']);
    assert.equal(refused.headers.get('retry-after'), '10');
    const { status, backlog } = await readyOf(app);
    assert.deepEqual([status, backlog?.full], ['ready', true]);
    assert.match((await get(app, '/metrics')).text, /^daodao_backlog_tasks [1-9]/m);
    assert.match((await get(app, '/metrics')).text, /^daodao_backlog_age_seconds \d/m);
    for (const id of accepted) {
      const { body } = await person.call<TaskBody>('GET', `/tasks/${id}`);
      assert.equal(body.status, 'queued', 'what was accepted stays accepted');
    }
    await app.database.pool.query('UPDATE ai.tasks SET started_at = now()');
    await eventually('there is room again', async () => (await ask()).status === 202);
  });
}

for (const [role, name] of [
  ['worker', 'consumer'],
  ['scheduler', 'reconciler'],
] as const) {
  test(`a ${role} without the API tells its health, what it needs, and its metrics`, async (t) => {
    const app = await start(t, { role, operationsPort: 0, workerThreads: 1 });
    assert.deepEqual(await get(app, '/health'), { status: 200, text: '{"status":"ok"}' });
    const { status, dependencies } = await readyOf(app);
    assert.deepEqual([status, dependencies[name]], ['ready', 'ok']);
    assert.match((await get(app, '/metrics')).text, /^daodao_resident_bytes \d+/m);
    assert.equal((await get(app, '/tasks/1')).status, 404);
  });
}
