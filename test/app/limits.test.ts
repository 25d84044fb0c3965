/**
 * One account that asks for as much as it can: what it costs is bounded, and nobody else notices.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { eventually } from '../support/queue/consumers.ts';
import { startTestApp, type Person, type TestApp } from '../support/app/app.ts';

const PER_DAY = 5;
const INTERNAL_KEY = 'a key that only services know';

interface Refusal {
  error: { code: string; details?: { quota: string; limit: number } };
}

let app: TestApp;
before(async () => {
  app = await startTestApp(() => ({
    feedbackPerDay: PER_DAY,
    internalApiKey: INTERNAL_KEY,
    eventsPerPerson: 500,
    eventsMaxUnsent: 1200,
  }));
});
after(() => app.stop());

const events = (count: number) => ({
  events: Array.from({ length: count }, () => ({
    event_id: randomUUID(),
    event_type: 'content_view',
    entity_type: 'practice',
    entity_id: randomUUID(),
    occurred_at: new Date().toISOString(),
  })),
});

const send = (person: Person, count: number) =>
  person.call<Refusal & { accepted: number }>('POST', '/events', { body: events(count) });

test("asking for feedback, revoking it and asking again is refused after a day's quota, and paid for no more often", async () => {
  const [member, other] = [await app.person(), await app.person()];
  const practices = [await member.practice(), await member.practice()];
  await app.coach.control({ delayMs: 60_000 });
  const callsBefore = await app.coach.chatCalls();
  for (let n = 0; n < PER_DAY; n++) {
    const asked = await member.call<{ task_id: string }>(
      'POST',
      `/practices/${practices[n % 2]}/feedback`,
    );
    assert.equal(asked.status, 202);
    assert.equal((await member.call('DELETE', `/tasks/${asked.body.task_id}`)).status, 200);
  }
  for (const practice of practices) {
    const refused = await member.call<Refusal>('POST', `/practices/${practice}/feedback`);
    assert.equal(refused.status, 429);
    assert.equal(refused.body.error.code, 'QUOTA_EXCEEDED');
    assert.deepEqual(refused.body.error.details, { quota: 'generate_ai_feedback', limit: PER_DAY });
    const seconds = Number(refused.headers.get('retry-after'));
    assert.ok(seconds > 86_000 && seconds <= 86_400, `${seconds}`);
  }
  assert.ok((await app.coach.chatCalls()) - callsBefore <= PER_DAY);
  await app.coach.control({ delayMs: 0 });
  assert.equal(
    (await other.call('POST', `/practices/${await other.practice()}/feedback`)).status,
    202,
  );
});

test('finishing practices again and again is paid for no more often either, and is no error of the service that tells', async () => {
  const member = await app.person();
  const finish = async () =>
    member.call<{ tasks: { name: string }[] }>('POST', '/internal/events/practice.completed', {
      headers: { 'x-internal-api-key': INTERNAL_KEY },
      body: { practice_id: await member.practice() },
    });
  const answers = [];
  for (let n = 0; n < PER_DAY + 2; n++) answers.push(await finish());
  const names = answers.map(({ body }) => body.tasks.map(({ name }) => name));
  const [feedback, vectors] = ['generate_ai_feedback', 'update_user_embeddings'];
  assert.deepEqual(names, [
    ...Array.from({ length: PER_DAY }, () => [feedback, vectors]),
    [vectors],
    [vectors],
  ]);
  assert.ok(answers.every(({ status }) => status === 202));
});

test('events of one person are refused beyond a number, those of others are not', async () => {
  const [member, other] = [await app.person(), await app.person()];
  assert.equal((await send(member, 500)).body.accepted, 500);
  const refused = await send(member, 1);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('retry-after'), '3600');
  assert.equal(refused.body.error.code, 'QUOTA_EXCEEDED');
  const view = { entity_type: 'practice', entity_id: randomUUID() };
  assert.equal((await member.call('POST', '/events/view', { body: view })).status, 429);
  assert.equal((await send(other, 100)).status, 202);
});

test('while ClickHouse is unavailable the events of everybody are refused beyond a number', async () => {
  const [one, other] = [await app.person(), await app.person()];
  await send(one, 500);
  await send(other, 499);
  let refused = await send(other, 1);
  await eventually('the outbox is full', async () => {
    refused = await send(other, 1);
    return refused.status === 503;
  });
  assert.equal(refused.headers.get('retry-after'), '10');
  assert.equal(refused.body.error.code, 'OUTBOX_FULL');
});
