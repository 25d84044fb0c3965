import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestApp, type Person, type TaskBody, type TestApp } from '../../support/app/app.ts';
import { atEnd } from '../../support/at-end.ts';
import { startFlakyProxy } from '../../support/stores/flaky-proxy.ts';
import { startProxy, type StoreProxy } from '../../support/stores/proxy.ts';

let redis: StoreProxy;
let postgres: StoreProxy;
let app: TestApp;
let person: Person;
before(async () => {
  const stores = process.env;
  redis = await startProxy(stores['TEST_REDIS_URL']!);
  postgres = await startProxy(stores['TEST_DATABASE_URL']!);
  app = await startTestApp(({ config }) => ({
    redisUrl: redis.url,
    databaseUrl: onto(postgres.url, config.databaseUrl),
  }));
  person = await app.person();
});
after(async () => {
  await app.stop();
  await redis.cut();
  await postgres.cut();
});

function onto(proxy: string, database: string): string {
  const url = new URL(proxy);
  url.pathname = new URL(database).pathname;
  return url.href;
}

async function ask(practice: string) {
  return person.call<{ task_id: string; error: { code: string } }>(
    'POST',
    `/practices/${practice}/feedback`,
  );
}

async function done(taskId: string): Promise<void> {
  const { body } = await person.call<TaskBody>('GET', `/tasks/${taskId}?wait=20`);
  assert.equal(body.status, 'done');
}

test('without Redis work is accepted all the same, and done once it is back', async () => {
  await redis.cut();
  const practices = await Promise.all([1, 2, 3].map(() => person.practice()));
  const answers = await Promise.all(practices.map(ask));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [202, 202, 202],
  );
  const { status, body } = await person.call<TaskBody & { state: null }>(
    'GET',
    `/tasks/${answers[0]!.body.task_id}`,
  );
  assert.deepEqual([status, body.status, body.state, body.progress], [200, 'queued', null, null]);
  const ready = await person.call<{ status: string; dependencies: object }>('GET', '/ready');
  assert.equal(ready.status, 200);
  await redis.restore();
  for (const answer of answers) await done(answer.body.task_id);
  assert.equal(await app.coach.chatCalls(), 3);
});

test('a Redis that hangs holds up no answer: work is accepted before its dispatch is given up', async (t) => {
  const hanging = await startFlakyProxy(t, process.env['TEST_REDIS_URL']!);
  const api = await startTestApp(() => ({ role: 'api', redisUrl: hanging.url }));
  atEnd(t, async () => {
    hanging.mode = 'forward';
    hanging.cut();
    await api.stop();
  });
  const asking = await api.person();
  const practice = await asking.practice();
  hanging.mode = 'hold';
  const { status } = await asking.call('POST', `/practices/${practice}/feedback`);
  assert.equal(status, 202);
  assert.ok(!api.told.seen.includes('task.dispatch_deferred'), 'the answer waited for Redis');
  await api.told.first((event) => event === 'task.dispatch_deferred');
});

test('Redis going away while the model writes costs no attempt and no second call', async () => {
  await app.coach.control({ delayMs: 700 });
  const calls = await app.coach.chatCalls();
  const { body } = await ask(await person.practice());
  while ((await app.coach.chatCalls()) === calls) continue;
  await redis.cut();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await redis.restore();
  await done(body.task_id);
  const { body: task } = await person.call<TaskBody>('GET', `/tasks/${body.task_id}`);
  assert.equal(task.attempts, 1);
  assert.equal((await app.coach.chatCalls()) - calls, 1);
});

test('after Redis lost everything, accepted work is done', async () => {
  await app.coach.control({ delayMs: 300 });
  const practices = [await person.practice(), await person.practice()];
  const answers = await Promise.all(practices.map(ask));
  await app.redis.flush();
  for (const { body } of answers) await done(body.task_id);
});

test('without Postgres nothing is accepted, and the process is not ready', async () => {
  const practice = await person.practice();
  await postgres.cut();
  const refused = await ask(practice);
  assert.deepEqual([refused.status, refused.body.error.code], [503, 'STORE_UNAVAILABLE']);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  const ready = await person.call('GET', '/ready');
  assert.equal(ready.status, 503);
  await postgres.restore();
  const accepted = await ask(practice);
  assert.equal(accepted.status, 202);
  await done(accepted.body.task_id);
});

test('Postgres going away while the model writes costs no attempt', async () => {
  await app.coach.control({ delayMs: 500 });
  const calls = await app.coach.chatCalls();
  const { body } = await ask(await person.practice());
  while ((await app.coach.chatCalls()) === calls) continue;
  await postgres.cut();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await postgres.restore();
  await done(body.task_id);
  const { body: task } = await person.call<TaskBody>('GET', `/tasks/${body.task_id}`);
  assert.equal(task.attempts, 1);
});
