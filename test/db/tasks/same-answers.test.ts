/**
 * Random histories of requests of every kind, and of what happens to tasks meanwhile: the functions in Postgres, asked in groups,
 * answer and store what the oracle does, which decides one request after the other.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../../base/errors.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { Acceptor } from '../../../db/tasks/acceptor.ts';
import type { Accepted, AcceptRequest } from '../../../db/tasks/request.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stores/postgres.ts';
import { request as requestWith, sameWork } from '../../support/tasks.ts';
import { acceptByOracle } from './oracle/accept.ts';
import { World, type Act, type Asked, type Command } from './oracle/world.ts';

/** All times are far longer than a history takes. */
const MINUTE_MS = 60_000;
const MINUTES = [10, 30, 60, 25 * 60] as const;

const databases: TestDatabase[] = [];
before(async () => {
  databases.push(await createTestDatabase(), await createTestDatabase());
});
after(() => Promise.all(databases.map((database) => database.drop())));

const isPlain = ({ dedupeKey, idempotencyKey, quota }: Asked): boolean =>
  [dedupeKey, idempotencyKey, quota].every((value) => value === undefined);

const maybe = <T>(...values: T[]) => fc.constantFrom(undefined, ...values);

const rarely = <T>(...values: T[]) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, fc.constantFrom(...values));

/** So few different values that most requests meet an earlier one. */
const asked = fc.record({
  chosen: fc.constant(undefined),
  name: fc.constantFrom('greet', 'greet', 'greet', 'wave'),
  queue: fc.constant('default'),
  priority: fc.constant(5),
  payload: fc.constantFrom('{"n": 1}', '{"n": 1}', '{"n": 2}'),
  headers: maybe({ a: 'b' }),
  delayMs: rarely(30 * MINUTE_MS),
  expiresMs: maybe(60 * MINUTE_MS),
  userId: fc.constantFrom('u', 'u', 'u', 'v', undefined),
  subject: maybe('s'),
  dedupeKey: fc.constantFrom('k', 'k', 'k', 'l', undefined),
  debounceMs: rarely(10 * MINUTE_MS),
  maxWaitMs: maybe(30 * MINUTE_MS),
  trailing: maybe(true, false),
  uniqueForMs: rarely(60 * MINUTE_MS),
  idempotencyKey: rarely('i', 'j'),
  keyedRequest: rarely('r'),
  quota: rarely({ most: 1, withinMs: 60 * MINUTE_MS }, { most: 3, withinMs: 60 * MINUTE_MS }),
  inputHash: fc.constantFrom('a', 'a', 'b', undefined),
});

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      // Plain ones first, as a group stores them first.
      ask: fc
        .array(asked, { minLength: 1, maxLength: 3 })
        .map((all) => all.toSorted((one, other) => Number(isPlain(other)) - Number(isPlain(one)))),
      apart: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      // Groups decide about ids that exist after all others.
      ask: fc
        .tuple(fc.record({ asked, chosen: fc.nat(1) }))
        .map(([one]) => [{ ...one.asked, chosen: one.chosen }]),
      apart: fc.boolean(),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      what: fc.constantFrom<Act['what'][]>(
        'start',
        'start',
        'succeed',
        'succeed',
        'fail',
        'revoke',
        'reopen',
      ),
      nth: fc.nat(3),
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
    fc.array(command, { minLength: 1, maxLength: 60, size: 'max' }),
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
  await fc.assert(property, { numRuns: Number(process.env['RUNS'] ?? 20) });
});

const askTogether = (requests: readonly AcceptRequest[]): Promise<Accepted[]> => {
  const acceptor = new Acceptor(databases[0]!.pool);
  return Promise.all(requests.map((each) => acceptor.accept(each)));
};
const outcomes = (answers: readonly Accepted[]) => answers.map(({ outcome }) => outcome);

test('requests of different users for the same work are decided in their order', async () => {
  for (let round = 0; round < 10; round++) {
    const work = sameWork();
    const both = [1, 2].map(() => requestWith({ ...work, userId: randomUUID() }));
    assert.deepEqual(outcomes(await askTogether(both)), ['created', 'unfinished']);
  }
});

test('requests with the same chosen id for different work get one task', async () => {
  const id = randomUUID();
  const both = [1, 2].map(() => requestWith({ ...sameWork(), id, isChosenId: true }));
  assert.deepEqual(outcomes(await askTogether(both)), ['created', 'repeated']);
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
