import assert from 'node:assert/strict';
import { after, before, beforeEach, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestApp, type Person, type TaskBody, type TestApp } from '../../support/app/app.ts';
import { startAnswering } from '../../support/app/answering.ts';
import { stretched } from '../../support/patience.ts';
import { environmentOf, run, type Run } from '../../support/app/process.ts';

let app: TestApp;
let person: Person;
let others: Awaited<ReturnType<typeof startAnswering>>;
before(async () => {
  others = await startAnswering();
  app = await startTestApp(() => ({
    role: 'api',
    clickhouseUrl: others.url,
    qdrantUrl: others.url,
  }));
  person = await app.person();
});
beforeEach(() => app.coach.control({ delayMs: 0 }));
after(async () => {
  await app.stop();
  others.stop();
});

/** Longer than any test: what waits for this, waits in vain. In milliseconds. */
const FOR_EVER_MS = 3_600_000;

async function startWorker(t: TestContext, env: Record<string, string> = {}): Promise<Run> {
  const settings = { ...environmentOf(app.config), ROLE: 'worker', WORKER_THREADS: '1' };
  const worker = run(t, 'main.js', { ...settings, ...env });
  await worker.wrote(/process\.started/);
  return worker;
}

/** Asks for feedback and waits until the only worker there is is inside the call of the model. */
async function begin(modelMs: number): Promise<{ practice: string; taskId: string }> {
  await app.coach.control({ delayMs: modelMs });
  const calls = await app.coach.chatCalls();
  const practice = await person.practice();
  const { body } = await person.call<{ task_id: string }>(
    'POST',
    `/practices/${practice}/feedback`,
  );
  while ((await app.coach.chatCalls()) === calls) await sleep(10);
  await app.coach.control({ delayMs: 0 });
  return { practice, taskId: body.task_id };
}

async function finished(taskId: string): Promise<TaskBody> {
  for (;;) {
    const { body } = await person.call<TaskBody>('GET', `/tasks/${taskId}?wait=20`);
    if (body.status !== 'queued' && body.status !== 'running') return body;
  }
}

async function outcomeOf({ practice, taskId }: { practice: string; taskId: string }) {
  const body = await finished(taskId);
  const { rows } = await app.database.pool.query<{
    feedback: number;
    insight: string;
    epoch: number;
  }>(
    `SELECT count(f.id)::int AS feedback, min(p.insight) AS insight,
       (SELECT epoch::int FROM ai.tasks WHERE id = $2) AS epoch
     FROM practices p LEFT JOIN ai.practice_feedback f ON f.practice_id = p.external_id
     WHERE p.external_id = $1`,
    [practice, taskId],
  );
  const { feedback, insight, epoch } = rows[0]!;
  assert.equal(insight, body.result?.text);
  return { status: body.status, attempts: body.attempts, feedback, epoch };
}

test('a job whose worker is killed inside the call of the model is finished by another', async (t) => {
  const first = await startWorker(t);
  const job = await begin(FOR_EVER_MS);
  const second = await startWorker(t);
  first.child.kill('SIGKILL');
  assert.deepEqual(await outcomeOf(job), { status: 'done', attempts: 1, feedback: 1, epoch: 2 });
  assert.equal(await first.ended, 'SIGKILL');
  second.child.kill('SIGTERM');
  assert.equal(await second.ended, 0);
});

test('a worker that is stopped lets its job end when that takes no longer than the grace period', async (t) => {
  const worker = await startWorker(t, { SHUTDOWN_GRACE_MS: String(FOR_EVER_MS) });
  const job = await begin(1000);
  worker.child.kill('SIGTERM');
  assert.equal(await worker.ended, 0);
  assert.deepEqual(await outcomeOf(job), { status: 'done', attempts: 1, feedback: 1, epoch: 1 });
});

test('a job that takes longer than the grace period goes back uncharged, and another finishes it', async (t) => {
  const first = await startWorker(t, { SHUTDOWN_GRACE_MS: '100' });
  const job = await begin(FOR_EVER_MS);
  first.child.kill('SIGTERM');
  assert.equal(await first.ended, 0);
  await startWorker(t);
  assert.deepEqual(await outcomeOf(job), { status: 'done', attempts: 1, feedback: 1, epoch: 2 });
});

test('a second signal ends a worker at once', async (t) => {
  const worker = await startWorker(t, { SHUTDOWN_GRACE_MS: String(FOR_EVER_MS) });
  const job = await begin(FOR_EVER_MS);
  worker.child.kill('SIGINT');
  await worker.wrote(/process\.stopping/);
  worker.child.kill('SIGINT');
  assert.equal(await worker.ended, 130);
  await startWorker(t);
  assert.equal((await outcomeOf(job)).status, 'done');
});

test('a worker that was frozen for longer than its lease does no harm when it wakes', async (t) => {
  const first = await startWorker(t);
  const modelMs = stretched(4000);
  const job = await begin(modelMs);
  const answered = sleep(modelMs);
  first.child.kill('SIGSTOP');
  await startWorker(t);
  assert.deepEqual(await outcomeOf(job), { status: 'done', attempts: 1, feedback: 1, epoch: 2 });
  // It wakes with the answer of the model at hand.
  await answered;
  first.child.kill('SIGCONT');
  // Whichever it hears of first: that its lease is gone, or that its epoch is.
  await first.wrote(/job\.lease_lost|no longer at epoch/);
  const next = await begin(0);
  assert.equal((await outcomeOf(next)).status, 'done');
  assert.deepEqual(await outcomeOf(job), { status: 'done', attempts: 1, feedback: 1, epoch: 2 });
});
