/**
 * In role `all` one event loop serves the API and renews the worker's leases, every third of `LEASE_MS`. As no request holds the loop for
 * longer than a few hundredths of a second, no number of them keeps a renewal waiting for the two thirds that are left.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  createBearer,
  startTestApp,
  type Person,
  type TaskBody,
  type TestApp,
} from '../../support/app/app.ts';
import { insertUser } from '../../support/domain/practices.ts';
import { startWorker, workerLog } from '../../support/threads/worker-processes.ts';
import { limitOf, worstEvents, worstValues } from './shapes.ts';

/** While one job runs. */
const LEASES = 3;
const SENDERS = 4;

let app: TestApp;
let person: Person;
before(async () => {
  app = await startTestApp();
  person = await app.person();
});
after(() => app.stop());

/** What costs most, as large as the route takes. */
function worstBodies(): Uint8Array<ArrayBuffer>[] {
  const limit = limitOf('/events');
  const event = {
    event_id: randomUUID(),
    event_type: 'content_view',
    entity_type: 'page',
    entity_id: 'About',
    occurred_at: new Date().toISOString(),
  };
  const values = Object.values(worstValues(limit - 20)).map((value) => `{"events":${value}}`);
  return [...values, ...Object.values(worstEvents(limit, event))].map((text) =>
    new TextEncoder().encode(text),
  );
}

/** Sends until the signal is aborted. @returns the number of answers, and those of a server that failed. */
async function send(
  bodies: readonly Uint8Array<ArrayBuffer>[],
  signal: AbortSignal,
): Promise<{ answers: number; failures: number }> {
  const user = await insertUser(app.database.pool);
  const authorization = await createBearer(user, app.config.jwtSecurity);
  const headers = { authorization, 'content-type': 'application/json' };
  const count = { answers: 0, failures: 0 };
  while (!signal.aborted) {
    const body = bodies[count.answers % bodies.length]!;
    const url = new URL('/events', app.app.origin);
    const response = await fetch(url, { method: 'POST', headers, body });
    await response.arrayBuffer();
    count.answers++;
    if (response.status >= 500) count.failures++;
  }
  return count;
}

test('the largest requests of one account take no lease from a job that runs meanwhile', async (t) => {
  // Made before: to make them would hold the same loop.
  const bodies = worstBodies();
  const { leaseMs, queuePrefix: prefix } = app.config;
  // Takes the jobs of a worker whose lease ends, soon after, and runs none of this queue.
  const { url } = app.redis;
  const reaper = { url, prefix, limit: 1, leaseMs: Math.ceil(leaseMs / 4), log: workerLog(t).file };
  await startWorker(t, reaper);
  await app.coach.control({ delayMs: LEASES * leaseMs });
  const accepted = await person.call<{ task_id: string }>(
    'POST',
    `/practices/${await person.practice()}/feedback`,
  );
  const over = new AbortController();
  const sending = Promise.all(Array.from({ length: SENDERS }, () => send(bodies, over.signal)));
  const path = `/tasks/${accepted.body.task_id}?wait=20`;
  let task: TaskBody;
  do ({ body: task } = await person.call<TaskBody>('GET', path));
  while (task.status === 'queued' || task.status === 'running');
  over.abort();
  const sent = await sending;
  const answers = sent.reduce((sum, one) => sum + one.answers, 0);
  t.diagnostic(`${answers} requests during ${LEASES} leases of ${leaseMs} ms`);
  const lost = app.told.seen.filter((event) =>
    ['job.lease_lost', 'job.released', 'job.retrying', 'worker.reaped', 'thread.died'].includes(
      event,
    ),
  );
  assert.deepEqual(lost, []);
  assert.ok(answers > SENDERS);
  assert.equal(
    sent.reduce((sum, one) => sum + one.failures, 0),
    0,
  );
  assert.deepEqual([task.status, task.attempts], ['done', 1]);
  assert.equal(await app.coach.chatCalls(), 1, 'no call is paid twice');
});
