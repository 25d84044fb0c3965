/**
 * The schedules of the application, run by hand over HTTP: each does real work.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SEED_PRACTICES } from '../../db/seed/practices.ts';
import { eventually } from '../support/queue/consumers.ts';
import { startWhole, type Caller } from '../support/app/whole.ts';

interface ScheduleBody {
  name: string;
  cron: string;
  timezone: string;
  enabled: boolean;
  edited: { by: string; fields: string[] } | null;
  next_runs: { local: string }[];
  last_runs: { task_id: string; status: string; outcome: string; asked_by: string }[];
}

async function schedules(admin: Caller): Promise<Map<string, ScheduleBody>> {
  const { status, body } = await admin.call<{ schedules: ScheduleBody[] }>('GET', '/schedules');
  assert.equal(status, 200, JSON.stringify(body));
  return new Map(body.schedules.map((schedule) => [schedule.name, schedule]));
}

test('an admin sees the schedules, runs them now, and changes their times', async (t) => {
  const whole = await startWhole(t);
  const admin = await whole.as('小禾', ['admin']);
  const found = await schedules(admin);
  assert.deepEqual(
    [...found.values()].map(({ name, cron, timezone }) => [name, cron, timezone]),
    [
      ['sweep-feedback', '0 1 * * *', 'Asia/Taipei'],
      ['refresh-recommendations', '0 2 * * *', 'Asia/Taipei'],
      ['update-embeddings', '0 * * * *', 'Asia/Taipei'],
    ],
  );
  const nightly = found.get('refresh-recommendations')!;
  assert.equal(nightly.next_runs.length, 5);
  for (const { local } of nightly.next_runs) assert.match(local, /T02:00:00\+08:00$/);

  const run = async <T>(name: string): Promise<T> =>
    whole.done<T>(admin, await admin.call('POST', `/schedules/${name}/run`));
  assert.ok((await run<{ embedded: number }>('update-embeddings')).embedded > 0);
  assert.ok((await run<{ users: number }>('refresh-recommendations')).users >= 6);

  const { practices, asked } = await run<{ practices: number; asked: number }>('sweep-feedback');
  const finished = SEED_PRACTICES.filter(({ status }) => /completed|archived/.test(status));
  assert.ok(asked > 0 && asked <= practices && practices <= finished.length, `${asked} asked`);
  const written = async () => {
    const { rows } = await whole.database.pool.query<{ n: number }>(
      'SELECT count(DISTINCT practice_id)::int AS n FROM ai.practice_feedback',
    );
    return rows[0]!.n;
  };
  await eventually('all feedback is written', async () => (await written()) === asked);
  // What has feedback, and what there is too little of, is not asked for again.
  const again = await run<{ practices: number; asked: number }>('sweep-feedback');
  assert.deepEqual(again, { practices: practices - asked, asked: 0 });

  const [last] = (await schedules(admin)).get('sweep-feedback')!.last_runs;
  assert.deepEqual(
    [last!.status, last!.outcome, last!.asked_by],
    ['done', 'fired', admin.externalId],
  );

  const patch = (body: object) =>
    admin.call<ScheduleBody>('PATCH', '/schedules/update-embeddings', { body });
  const { status, body } = await patch({ cron: '15 3 * * MON', timezone: 'Europe/Berlin' });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.edited, {
    ...body.edited,
    by: admin.externalId,
    fields: ['cron', 'timezone'],
  });
  assert.match(body.next_runs[0]!.local, /T03:15:00\+0[12]:00$/);
  const paused = await patch({ enabled: false });
  assert.deepEqual([paused.body.enabled, paused.body.next_runs], [false, []]);
  const back = await patch({ enabled: null, cron: null, timezone: null });
  assert.deepEqual([back.body.enabled, back.body.cron], [true, '0 * * * *']);
  assert.equal(back.body.edited, null);
  const one = await admin.call<ScheduleBody & { changes: { by: string; to: object }[] }>(
    'GET',
    '/schedules/update-embeddings',
  );
  assert.deepEqual([one.status, one.body.cron], [200, '0 * * * *']);
  assert.deepEqual(
    one.body.changes.filter(({ to }) => to !== null).map(({ by, to }) => [by, to]),
    [
      {},
      { cron: '15 3 * * MON', timezone: 'Europe/Berlin', enabled: false },
      { cron: '15 3 * * MON', timezone: 'Europe/Berlin' },
    ].map((to) => [admin.externalId, to]),
  );
});
