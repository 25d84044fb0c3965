import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { startTestApp, type Person, type TestApp } from '../support/app/app.ts';

interface AcceptedGroup {
  group_id: string;
  tasks: number;
  status_url: string;
}
interface GroupBody {
  status: string;
  counts: Record<string, number>;
  tasks: { task_id: string; name: string; status: string; subject: string | null }[];
  result: ({ text: string } | null)[];
  error: { code: string } | null;
}
interface Refusal {
  error: { code: string; details: { practice_id: string } };
}

let app: TestApp;
let person: Person;
before(async () => {
  app = await startTestApp();
  person = await app.person();
});
beforeEach(() => app.coach.control({ delayMs: 0, faults: [] }));
after(() => app.stop());

const ask = (practices: readonly string[], key?: string, asking = person) =>
  asking.call<AcceptedGroup>('POST', '/practices/feedback', {
    body: { practice_ids: practices },
    ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
  });

async function finished(id: string): Promise<GroupBody> {
  const { body } = await person.call<GroupBody>('GET', `/groups/${id}?wait=20`);
  return body;
}

test('feedback on several practices is one group, with the results in order', async () => {
  const practices = [await person.practice(), await person.practice(), await person.practice()];
  const { status, headers, body } = await ask([...practices, practices[0]!.toUpperCase()]);
  assert.equal(status, 202);
  assert.deepEqual([headers.get('location'), body.tasks], [body.status_url, 3]);
  const group = await finished(body.group_id);
  assert.equal(group.status, 'done');
  assert.equal(group.counts['done'], 3);
  assert.deepEqual(
    group.tasks.map(({ subject }) => subject),
    practices,
  );
  for (const [index, practice] of practices.entries()) {
    const read = await person.call<{ text: string }>('GET', `/practices/${practice}/feedback`);
    assert.equal(read.body.text, group.result[index]?.text);
  }
});

test('what is done or under way is not done again, and the group still has its result', async () => {
  const practices = [await person.practice(), await person.practice(), await person.practice()];
  const first = await finished((await ask([practices[0]!])).body.group_id);
  await app.coach.control({ delayMs: 500 });
  const single = await person.call<{ task_id: string }>(
    'POST',
    `/practices/${practices[1]}/feedback`,
  );
  const calls = await app.coach.chatCalls();
  const { body } = await ask(practices);
  const group = await finished(body.group_id);
  assert.equal(group.status, 'done');
  assert.equal(group.result[0]?.text, first.result[0]?.text);
  assert.equal(group.tasks[1]?.task_id, single.body.task_id);
  assert.ok(group.result.every((each) => each !== null));
  assert.ok((await app.coach.chatCalls()) - calls <= 2);
});

test('a repeated Idempotency-Key returns the same group, also when a practice was edited; another request with it is refused', async () => {
  const practices = [await person.practice(), await person.practice()];
  const first = await ask(practices, 'morning');
  await app.database.pool.query(
    "UPDATE practices SET title = title || ' again' WHERE external_id = ANY ($1)",
    [practices],
  );
  const again = await ask(practices, 'morning');
  assert.deepEqual([again.status, again.body], [202, first.body]);
  const refused = await person.call<Refusal>('POST', '/practices/feedback', {
    headers: { 'idempotency-key': 'morning' },
    body: { practice_ids: practices.slice(0, 1) },
  });
  assert.deepEqual([refused.status, refused.body.error.code], [409, 'IDEMPOTENCY_KEY_REUSED']);
  const other = await app.person();
  const theirs = await ask([await other.practice()], 'morning', other);
  assert.equal(theirs.status, 202);
  assert.notEqual(theirs.body.group_id, first.body.group_id);
  assert.equal((await finished(first.body.group_id)).status, 'done');
});

test('a practice that cannot have feedback is named, and nothing is requested', async () => {
  const practices = [await person.practice(), randomUUID()];
  const refused = await person.call<Refusal>('POST', '/practices/feedback', {
    body: { practice_ids: practices },
  });
  assert.equal(refused.status, 404);
  assert.equal(refused.body.error.code, 'PRACTICE_NOT_FOUND');
  assert.equal(refused.body.error.details.practice_id, practices[1]);
  const { rowCount } = await app.database.pool.query('SELECT FROM ai.tasks WHERE subject = $1', [
    practices[0],
  ]);
  assert.equal(rowCount, 0);
});

test('a group can be revoked; somebody else cannot see it', async () => {
  await app.coach.control({ delayMs: 5000 });
  const { body } = await ask([await person.practice(), await person.practice()]);
  const other = await app.person();
  assert.equal((await other.call('GET', `/groups/${body.group_id}`)).status, 404);
  assert.equal((await other.call('DELETE', `/groups/${body.group_id}`)).status, 404);
  const revoked = await person.call<GroupBody>('DELETE', `/groups/${body.group_id}`);
  assert.equal(revoked.body.status, 'revoked');
  assert.equal(revoked.body.counts['revoked'], 2);
  assert.equal(revoked.body.error?.code, 'TASK_REVOKED');
  assert.equal((await person.call('GET', `/groups/${randomUUID()}`)).status, 404);
});
