import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { startTestApp, type Person, type TaskBody, type TestApp } from '../support/app/app.ts';
import { stretched } from '../support/patience.ts';

interface Accepted {
  task_id: string;
  status_url: string;
}
interface FeedbackBody {
  text: string;
  provider: string;
  task_id: string;
  version: number;
}
interface Refusal {
  error: { code: string };
}

let app: TestApp;
let person: Person;
before(async () => {
  app = await startTestApp();
  person = await app.person();
});
beforeEach(() => app.coach.control({ delayMs: 0, faults: [] }));
after(() => app.stop());

async function rows(table: string, where: string, value: string): Promise<number> {
  const { rowCount } = await app.database.pool.query(`SELECT FROM ${table} WHERE ${where} = $1`, [
    value,
  ]);
  return rowCount ?? 0;
}

async function ask(practice: string, key?: string, body?: object) {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  const options = body === undefined ? { headers } : { headers, body };
  return person.call<Accepted>('POST', `/practices/${practice}/feedback`, options);
}

async function finished(taskId: string): Promise<TaskBody> {
  const { body } = await person.call<TaskBody>('GET', `/tasks/${taskId}?wait=20`);
  return body;
}

test('a request is accepted at once, and its feedback can be read when the task is done', async () => {
  const practice = await person.practice();
  const { status, headers, body } = await ask(practice);
  assert.equal(status, 202);
  assert.equal(headers.get('location'), body.status_url);
  const task = await finished(body.task_id);
  assert.deepEqual([task.status, task.attempts, task.error], ['done', 1, null]);
  const read = await person.call<FeedbackBody>('GET', `/practices/${practice}/feedback`);
  assert.equal(read.status, 200);
  assert.equal(read.body.text, task.result?.text);
  assert.deepEqual(
    Object.keys(task.result ?? {}).filter((name) => /[A-Z]/.test(name)),
    [],
    'names over HTTP are snake_case',
  );
  assert.deepEqual([read.body.provider, read.body.version], ['offline', 1]);
  const insight = await app.database.pool.query<{ insight: string }>(
    'SELECT insight FROM practices WHERE external_id = $1',
    [practice],
  );
  assert.equal(insight.rows[0]?.insight, read.body.text);
});

test('ten requests at once are one task, one row, one call of the model and one feedback', async () => {
  await app.coach.control({ delayMs: 300 });
  const practice = await person.practice();
  const calls = await app.coach.chatCalls();
  const already = app.told.seen.length;
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(practice)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]));
  const ids = new Set(answers.map(({ body }) => body.task_id));
  assert.equal(ids.size, 1);
  const events = app.told.seen.slice(already).filter((event) => event.startsWith('task.'));
  assert.equal(events.filter((event) => event === 'task.accepted').length, 1);
  assert.equal(events.filter((event) => event === 'task.repeated').length, 9);
  assert.equal((await finished([...ids][0]!)).status, 'done');
  assert.equal((await app.coach.chatCalls()) - calls, 1);
  assert.equal(await rows('ai.tasks', 'subject', practice), 1);
  assert.equal(await rows('ai.practice_feedback', 'practice_id', practice), 1);
  assert.equal(await rows('ai.llm_calls', 'task_id', [...ids][0]!), 1);
});

test('asking again gets the feedback itself, until something changed', async () => {
  const practice = await person.practice();
  const first = await ask(practice);
  await finished(first.body.task_id);
  const again = await person.call<FeedbackBody>('POST', `/practices/${practice}/feedback`);
  assert.equal(again.status, 200);
  assert.equal(again.body.task_id, first.body.task_id);
  assert.equal(await rows('ai.tasks', 'subject', practice), 1);

  await app.database.pool.query('UPDATE practices SET title = $2 WHERE external_id = $1', [
    practice,
    '另一個題目',
  ]);
  const changed = await ask(practice);
  assert.equal(changed.status, 202);
  await finished(changed.body.task_id);
  const read = await person.call<FeedbackBody>('GET', `/practices/${practice}/feedback`);
  assert.deepEqual([read.body.version, read.body.task_id], [2, changed.body.task_id]);
});

test('the same Idempotency-Key gets the same task; with another request it is refused', async () => {
  const practice = await person.practice();
  const key = randomUUID();
  const first = await ask(practice, key);
  await finished(first.body.task_id);
  const repeated = await ask(practice, key);
  assert.deepEqual([repeated.status, repeated.body.task_id], [202, first.body.task_id]);
  const other = await person.call<Refusal>(
    'POST',
    `/practices/${await person.practice()}/feedback`,
    {
      headers: { 'idempotency-key': key },
    },
  );
  assert.deepEqual([other.status, other.body.error.code], [409, 'IDEMPOTENCY_KEY_REUSED']);
});

test('a repeated request is the same one though its owner prefers another language by now', async (t) => {
  const prefer = (locale: string | null) =>
    app.database.pool.query('UPDATE users SET preferred_locale = $2 WHERE id = $1', [
      person.id,
      locale,
    ]);
  const { rows: users } = await app.database.pool.query<{ locale: string | null }>(
    'SELECT preferred_locale AS locale FROM users WHERE id = $1',
    [person.id],
  );
  t.after(() => prefer(users[0]!.locale));
  const [asked, answered] = [randomUUID(), randomUUID()];
  const practice = await person.practice();
  const { body } = await ask(practice, asked);
  await finished(body.task_id);
  assert.equal((await ask(practice, answered)).status, 200);
  await prefer('en');
  for (const [key, status] of [
    [asked, 202],
    [answered, 200],
  ] as const) {
    const again = await ask(practice, key);
    assert.deepEqual([again.status, again.body.task_id], [status, body.task_id]);
  }
  assert.equal((await ask(practice, asked, { locale: 'en' })).status, 409);
});

test('both languages can be had side by side', async () => {
  const practice = await person.practice();
  const [zh, en] = await Promise.all([
    ask(practice, undefined, { locale: 'zh-TW' }),
    ask(practice, undefined, { locale: 'en' }),
  ]);
  assert.notEqual(zh.body.task_id, en.body.task_id);
  const results = [await finished(zh.body.task_id), await finished(en.body.task_id)];
  assert.deepEqual(
    results.map(({ status }) => status),
    ['done', 'done'],
  );
  assert.match(results[0]!.result!.text, /\p{Script=Han}/u);
  assert.equal(await rows('ai.practice_feedback', 'practice_id', practice), 2);
});

test('a running task shows its progress, and waiting for it ends when it does', async () => {
  await app.coach.control({ delayMs: stretched(600) });
  const { body } = await ask(await person.practice());
  const progress: number[] = [];
  const waited = finished(body.task_id);
  for (;;) {
    const { body: task } = await person.call<TaskBody>('GET', `/tasks/${body.task_id}`);
    if (task.status === 'done') break;
    if (task.progress !== null) progress.push(task.progress.value);
  }
  assert.equal((await waited).status, 'done');
  assert.ok(progress.includes(0.2), String(progress));
  assert.deepEqual(
    progress,
    progress.toSorted((a, b) => a - b),
  );
});

test('waiting ends after the time asked for, with the task as it is', async () => {
  await app.coach.control({ delayMs: stretched(1500) });
  const { body } = await ask(await person.practice());
  const startedMs = performance.now();
  const { body: task } = await person.call<TaskBody>('GET', `/tasks/${body.task_id}?wait=0.3`);
  const tookMs = performance.now() - startedMs;
  assert.ok(['queued', 'running'].includes(task.status));
  assert.ok(tookMs >= 290, `${tookMs} ms`);
  assert.equal((await finished(body.task_id)).status, 'done');
});

test('a failed task is no answer: asking again is a new one', async () => {
  const practice = await person.practice();
  await app.coach.control({ faults: ['401'] });
  const { body } = await ask(practice);
  const task = await finished(body.task_id);
  assert.deepEqual([task.status, task.error?.code], ['error', 'LLM_UNAVAILABLE']);
  const again = await ask(practice);
  assert.equal(again.status, 202);
  assert.notEqual(again.body.task_id, body.task_id);
  assert.equal((await finished(again.body.task_id)).status, 'done');
});

test("another person's practice and task are as unknown as ones that never were", async () => {
  const practice = await person.practice();
  const { body } = await ask(practice);
  const stranger = await app.person();
  for (const [method, path, code] of [
    ['POST', `/practices/${practice}/feedback`, 'PRACTICE_NOT_FOUND'],
    ['GET', `/practices/${practice}/feedback`, 'PRACTICE_NOT_FOUND'],
    ['POST', `/practices/${randomUUID()}/feedback`, 'PRACTICE_NOT_FOUND'],
    ['GET', `/tasks/${body.task_id}`, 'TASK_NOT_FOUND'],
    ['GET', `/tasks/${body.task_id}?wait=5`, 'TASK_NOT_FOUND'],
    ['GET', `/tasks/${randomUUID()}`, 'TASK_NOT_FOUND'],
  ] as const) {
    const answer = await stranger.call<Refusal>(method, path);
    assert.deepEqual([answer.status, answer.body.error.code], [404, code], `${method} ${path}`);
  }
  assert.equal((await finished(body.task_id)).status, 'done');
});
