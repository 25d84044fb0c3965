/**
 * Random histories of requests of every kind, and of what happens to tasks meanwhile: the functions in Postgres, asked in groups,
 * answer and store what the oracle does, which decides one request after the other.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../../base/errors.ts';
import type { Pool } from '../../../db/stores/postgres.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { Acceptor } from '../../../db/tasks/acceptor.ts';
import { startTask } from '../../../db/tasks/attempts.ts';
import { revokeTasks } from '../../../db/tasks/ends.ts';
import { releaseTrailing } from '../../../db/tasks/reconciliation.ts';
import { reopenTask } from '../../../db/tasks/requeue.ts';
import type { Accepted, AcceptRequest } from '../../../db/tasks/request.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { failTask, succeedTask } from '../../support/tasks.ts';
import { acceptByOracle } from './oracle/accept.ts';

/** All times are far longer than a history takes. */
const MINUTE_MS = 60_000;
const MINUTES = [10, 30, 60, 25 * 60] as const;

const databases: TestDatabase[] = [];
before(async () => {
  databases.push(await createTestDatabase(), await createTestDatabase());
});
after(() => Promise.all(databases.map((database) => database.drop())));

type Asked = Omit<AcceptRequest, 'id'> & { chosen: number | undefined };
type Command =
  | { ask: Asked[]; apart: boolean }
  | { what: 'start' | 'succeed' | 'fail' | 'revoke' | 'reopen'; nth: number }
  | { what: 'pass'; minutes: number }
  | { what: 'release' };

const isPlain = ({ dedupeKey, idempotencyKey, quota }: Asked): boolean =>
  [dedupeKey, idempotencyKey, quota].every((value) => value === undefined);

const maybe = <T>(...values: T[]) => fc.constantFrom(undefined, ...values);
const minutesMs = (...values: number[]) => maybe(...values.map((value) => value * MINUTE_MS));

const asked = fc.record({
  chosen: fc.constant(undefined),
  name: fc.constantFrom('greet', 'greet', 'wave'),
  queue: fc.constant('default'),
  priority: fc.constant(5),
  payload: fc.constantFrom('{"n": 1}', '{"n": 2}'),
  headers: maybe({ a: 'b' }),
  delayMs: minutesMs(30),
  expiresMs: minutesMs(60),
  userId: maybe('u', 'u', 'v'),
  subject: maybe('s'),
  dedupeKey: maybe('k', 'k', 'l'),
  debounceMs: minutesMs(10),
  maxWaitMs: minutesMs(30),
  trailing: maybe(true, false),
  uniqueForMs: minutesMs(60),
  idempotencyKey: maybe('i'),
  keyedRequest: maybe('r'),
  quota: fc.option(fc.record({ most: fc.constantFrom(1, 3), withinMs: fc.constant(3_600_000) }), {
    nil: undefined,
  }),
  inputHash: maybe('a', 'b'),
});

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      // Plain ones first, as a group stores them first.
      ask: fc
        .array(asked, { minLength: 1, maxLength: 4 })
        .map((all) => all.toSorted((one, other) => Number(isPlain(other)) - Number(isPlain(one)))),
      apart: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      // Groups decide about ids that exist after all others.
      ask: fc
        .tuple(fc.record({ asked, chosen: fc.nat(1) }))
        .map(([one]) => [{ ...one.asked, chosen: one.chosen }]),
      apart: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constantFrom('start', 'start', 'succeed', 'succeed', 'fail', 'revoke', 'reopen'),
      nth: fc.nat(30),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('pass' as const),
      minutes: fc.constantFrom(...MINUTES),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('release' as const) }) },
);

/** A history in one of the databases. */
class World {
  readonly #pool: Pool;
  readonly #accept: (requests: readonly AcceptRequest[], isApart: boolean) => Promise<unknown[]>;

  constructor(
    pool: Pool,
    accept: (requests: readonly AcceptRequest[], isApart: boolean) => Promise<unknown[]>,
  ) {
    this.#pool = pool;
    this.#accept = accept;
  }

  async run(step: Command, ids: readonly string[], requests: AcceptRequest[]): Promise<unknown> {
    if ('ask' in step) return this.#accept(requests, step.apart);
    if (step.what === 'pass') return this.#pass(step.minutes, ids);
    if (step.what === 'release') return releaseTrailing(this.#pool);
    const id = ids[step.nth % ids.length];
    return id === undefined ? undefined : this.#act(step.what, id);
  }

  async #act(what: string, id: string): Promise<unknown> {
    const pool = this.#pool;
    if (what === 'start') return (await startTask(pool, id, 0))?.epoch;
    if (what === 'revoke') return revokeTasks(pool, [id]);
    if (what === 'reopen') return reopenTask(pool, id, 0);
    const { rows } = await pool.query<{ epoch: string }>(
      `SELECT epoch FROM ai.tasks WHERE id = $1 AND status = 'running'`,
      [id],
    );
    const fence = rows[0] && { id, epoch: rows[0].epoch };
    if (fence === undefined) return undefined;
    return what === 'succeed'
      ? succeedTask(pool, fence, 'null')
      : failTask(pool, fence, { code: 'TASK_FAILED', message: 'no' });
  }

  async #pass(minutes: number, ids: readonly string[]): Promise<void> {
    const earlier = (column: string) => `${column} = ${column} - $2 * interval '1 minute'`;
    const columns =
      'created_at requested_at started_at finished_at run_at expires_at check_at'.split(' ');
    await this.#pool.query(
      `UPDATE ai.tasks SET ${columns.map(earlier).join()} WHERE id = ANY($1)`,
      [ids, minutes],
    );
    await this.#pool.query(
      `UPDATE ai.idempotency_keys SET ${earlier('created_at')} WHERE task_id = ANY($1)`,
      [ids, minutes],
    );
  }

  /** The rows, with their times in whole minutes from now. */
  async rows(ids: readonly string[]): Promise<unknown[]> {
    const from = (column: string) =>
      `round(extract(epoch FROM ${column}) / 60 - extract(epoch FROM now()) / 60)::text AS ${column}`;
    const columns =
      'created_at requested_at started_at finished_at run_at expires_at check_at'.split(' ');
    const tasks = await this.#pool.query(
      `SELECT id, name, queue, status, user_id, subject, payload::text, options::text, priority, dedupe_key, input_hash,
         attempts, epoch, trails, ${columns.map(from).join()}
       FROM ai.tasks WHERE id = ANY($1) ORDER BY id`,
      [ids],
    );
    const keys = await this.#pool.query(
      `SELECT user_id, key, task_id, name, payload, ${from('created_at')}
       FROM ai.idempotency_keys WHERE task_id = ANY($1) ORDER BY user_id, key`,
      [ids],
    );
    return [...tasks.rows, ...keys.rows];
  }
}

/** What a caller learns, in whole minutes. */
async function told(answer: Promise<Accepted>): Promise<unknown> {
  try {
    const { delayMs, ...others } = await answer;
    return delayMs === undefined ? others : { ...others, minutes: Math.round(delayMs / MINUTE_MS) };
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    const { code, details, retryAfterSeconds: seconds } = error;
    return { code, details, minutes: seconds && Math.round(seconds / 60) };
  }
}

test('groups answer and store what one request after the other would', async () => {
  const [pool, oraclePool] = [databases[0]!.pool, databases[1]!.pool];
  const acceptor = new Acceptor(pool);
  const inTurn =
    (accept: (request: AcceptRequest) => Promise<Accepted>) =>
    async (requests: readonly AcceptRequest[]): Promise<unknown[]> => {
      const answers: unknown[] = [];
      for (const request of requests) answers.push(await told(accept(request)));
      return answers;
    };
  const apart = inTurn((request) => acceptTask(pool, request));
  const world = new World(pool, (requests, isApart) =>
    isApart
      ? apart(requests)
      : Promise.all(requests.map((request) => told(acceptor.accept(request)))),
  );
  const oracle = new World(
    oraclePool,
    inTurn((request) => acceptByOracle(oraclePool, request)),
  );
  const property = fc.asyncProperty(
    fc.array(command, { minLength: 1, maxLength: 40 }),
    async (commands) => {
      const own = `:${randomUUID()}`;
      const chosenIds = [randomUUID(), randomUUID()];
      const ids: string[] = [];
      for (const step of commands) {
        const requests =
          'ask' in step ? step.ask.map((each) => requestOf(each, own, chosenIds)) : [];
        ids.push(...requests.map(({ id }) => id).filter((id) => !ids.includes(id)));
        assert.deepEqual(
          await world.run(step, ids, requests),
          await oracle.run(step, ids, requests),
        );
        assert.deepEqual(await world.rows(ids), await oracle.rows(ids));
      }
    },
  );
  await fc.assert(property, { numRuns: Number(process.env['RUNS'] ?? 30) });
});

function requestOf({ chosen, ...others }: Asked, own: string, chosenIds: string[]): AcceptRequest {
  const { userId, dedupeKey } = others;
  return {
    ...others,
    id: chosen === undefined ? randomUUID() : chosenIds[chosen]!,
    isChosenId: chosen !== undefined,
    userId: userId && userId + own,
    dedupeKey: dedupeKey && dedupeKey + own,
  };
}
