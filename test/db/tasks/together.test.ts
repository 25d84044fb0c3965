/**
 * Requests of different callers that share a statement: what one of them waits for, or is refused for, costs the others nothing.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test, type TestContext } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import {
  createPool,
  isLockTimeout,
  transaction,
  type Pool,
  type Queryable,
} from '../../../db/stores/postgres.ts';
import { acceptTask } from '../../../db/tasks/accept.ts';
import { Acceptor } from '../../../db/tasks/acceptor.ts';
import { runStep } from '../../../db/tasks/steps.ts';
import { findTask } from '../../../db/tasks/rows.ts';
import type { Accepted, AcceptRequest } from '../../../db/tasks/request.ts';
import { accept, begin, database } from '../../support/durable.ts';
import { lockAwaited } from '../../support/stores/postgres.ts';
import { request, sameWork } from '../../support/tasks.ts';
import { acceptByOracle } from './oracle/accept.ts';

let pool: Pool | undefined;
let acceptor: Acceptor | undefined;
after(() => pool?.end());
/** In the process under test, whose connections wait for locks as long as it takes. */
function acceptHere(asked: AcceptRequest): Promise<Accepted> {
  pool ??= createPool(`${database.url}?lock_timeout=0`, { max: 5, name: 'patient' });
  acceptor ??= new Acceptor(pool);
  return acceptor.accept(asked);
}

const QUOTA = { most: 100, withinMs: 3_600_000 };
const many = (count: number, changes: Partial<AcceptRequest> = {}) =>
  Array.from({ length: count }, () => request(changes));
const acceptAll = (requests: readonly AcceptRequest[]) => Promise.all(requests.map(acceptHere));
const outcomes = (answers: readonly Accepted[]) => answers.map(({ outcome }) => outcome);

/** The statements for groups from now on. */
function statements(t: TestContext): string[] {
  const texts: string[] = [];
  const query = pool!.query.bind(pool) as Queryable['query'];
  t.mock.method(pool!, 'query', (text: string, values?: unknown[]) => {
    if (text.includes('ai.accept_requests')) texts.push(text);
    return query(text, values);
  });
  return texts;
}

describe('requests of one turn', () => {
  test('are one statement, whatever their kind', async (t) => {
    const asked = [
      ...many(20),
      ...many(20, { isChosenId: true }),
      ...many(20).map((one) => ({ ...one, ...sameWork(), idempotencyKey: 'k', quota: QUOTA })),
    ];
    await acceptHere(request());
    const texts = statements(t);
    const answers = await acceptAll(asked);
    assert.equal(texts.length, 1);
    assert.deepEqual(new Set(outcomes(answers)), new Set(['created']));
    assert.deepEqual(
      answers.map(({ id }) => id),
      asked.map(({ id }) => id),
    );
  });

  test('for the same work, key or id get one task', async () => {
    const work = sameWork();
    const keyed = { userId: randomUUID(), idempotencyKey: 'k' };
    const chosen = request({ isChosenId: true });
    for (const [asked, outcome] of [
      [many(30, work), 'unfinished'],
      [many(30, keyed), 'repeated'],
      [Array.from({ length: 30 }, () => chosen), 'repeated'],
    ] as const) {
      const answers = await acceptAll(asked);
      assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
      assert.deepEqual(
        outcomes(answers).toSorted(),
        ['created', ...Array.from({ length: 29 }, () => outcome)].toSorted(),
      );
    }
  });

  test('are counted by a quota', async () => {
    const asked = many(20, { userId: randomUUID(), quota: { ...QUOTA, most: 5 } });
    const ends = await Promise.allSettled(asked.map(acceptHere));
    const refused = ends.filter((end) => end.status === 'rejected');
    assert.equal(refused.length, 15);
    for (const { reason } of refused) {
      assert.ok(reason instanceof AppError && reason.code === 'QUOTA_EXCEEDED');
    }
  });

  test('are counted by a quota that only one of them has', async () => {
    const userId = randomUUID();
    const both = [request({ userId }), request({ userId, quota: { most: 1, withinMs: 60_000 } })];
    const [plain, limited] = await Promise.allSettled(both.map(acceptHere));
    assert.equal(plain?.status, 'fulfilled');
    assert.ok(limited?.status === 'rejected' && limited.reason instanceof AppError);
    assert.equal(limited.reason.code, 'QUOTA_EXCEEDED');
  });

  test('take effect in their order, if they are for the same work', async () => {
    const work = { ...sameWork(), trailing: true };
    const asked = Array.from({ length: 20 }, (_, n) => request({ ...work, payload: `{"n":${n}}` }));
    const [{ id } = { id: '' }] = await acceptAll(asked);
    const { rows } = await database.pool.query(
      'SELECT payload::text AS payload FROM ai.tasks WHERE id = $1',
      [id],
    );
    assert.deepEqual(rows, [{ payload: '{"n":19}' }]);
  });
});

describe('fails alone', () => {
  test('what Postgres refuses', async () => {
    for (const kind of [{}, { dedupeKey: randomUUID() }]) {
      const bad = request({ ...kind, payload: '{' });
      const [end, ...others] = await Promise.allSettled(
        [bad, ...many(10), ...many(10).map((one) => ({ ...one, ...sameWork() }))].map((one) =>
          acceptHere(one),
        ),
      );
      assert.equal(end?.status, 'rejected');
      assert.ok(others.every(({ status }) => status === 'fulfilled'));
    }
  });

  test('what is refused by its commit, and nobody is answered before that', async () => {
    await database.pool.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
      CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON ai.tasks DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.name = 'refused') EXECUTE FUNCTION refuse()`);
    const asked = [request({ name: 'refused' }), ...many(10)];
    const [end, ...others] = await Promise.allSettled(asked.map(acceptHere));
    assert.match(String(end?.status === 'rejected' && end.reason), /refused/);
    for (const [index, other] of others.entries()) {
      assert.equal(other.status, 'fulfilled');
      assert.ok(await findTask(database.pool, asked[index + 1]!.id));
    }
  });
});

/** What a transaction that stays open has done, and how a request for the same is answered after its commit. */
const HELD: Record<string, [kind: Partial<AcceptRequest>, outcome: string]> = {
  'the same work': [sameWork(), 'unfinished'],
  'work that trails': [{ ...sameWork(), trailing: true }, 'unfinished'],
  'the same Idempotency-Key': [{ userId: randomUUID(), idempotencyKey: 'k' }, 'repeated'],
  'the same id': [{ id: randomUUID(), isChosenId: true, ...sameWork() }, 'repeated'],
  'the quota of the same user': [{ userId: randomUUID(), quota: QUOTA }, 'created'],
};
const others = () => [...many(10), ...many(10).map((one) => ({ ...one, ...sameWork() }))];

describe('a transaction that stays open holds up only requests for', () => {
  for (const [what, [kind, outcome]] of Object.entries(HELD)) {
    test(what, async (t) => {
      const { asked } = await transaction(database.pool, async (tx) => {
        await acceptTask(tx, request(kind));
        const texts = statements(t);
        const held = acceptHere(request(kind));
        await acceptAll(others());
        assert.equal(texts.length, 1, 'the others went at once');
        await lockAwaited(database.pool);
        await acceptAll(others());
        return { asked: held };
      });
      assert.equal((await asked).outcome, outcome);
    });
  }

  const byEarlierRelease = [{ dedupeKey: randomUUID() }, { id: randomUUID(), isChosenId: true }];
  for (const kind of byEarlierRelease) {
    test(`what nobody sees before its commit: ${Object.keys(kind)[0]}`, async () => {
      const { asked } = await transaction(database.pool, async (tx) => {
        const { id, dedupeKey } = request(kind);
        await tx.query(
          `INSERT INTO ai.tasks (id, name, queue, priority, payload, dedupe_key)
           VALUES ($1, 'greet', 'default', 5, '{}', $2)`,
          [id, dedupeKey],
        );
        const held = acceptHere(request(kind));
        await acceptAll(others());
        await lockAwaited(database.pool);
        await acceptAll(others());
        return { asked: held };
      });
      assert.match((await asked).outcome, /unfinished|repeated/);
    });
  }

  test('the task whose step it is', async (t) => {
    const work = sameWork();
    const fence = await begin(work);
    let asked: Promise<Accepted> | undefined;
    await runStep(database.pool, fence, 'slow', async () => {
      const texts = statements(t);
      asked = acceptHere(request(work));
      await acceptAll(others());
      assert.equal(texts.length, 1, 'the others went at once');
      await lockAwaited(database.pool);
    });
    assert.deepEqual(await asked, { id: fence.id, status: 'running', outcome: 'unfinished' });
  });

  test('the same work by the hundred, which take few connections and end together', async () => {
    const hasty = createPool(`${database.url}?lock_timeout=1000`, { max: 5, name: 'hasty' });
    try {
      const few = new Acceptor(hasty);
      const work = sameWork();
      const ends = await transaction(database.pool, async (tx) => {
        await acceptTask(tx, request(work));
        const asked = Promise.allSettled(many(100, work).map((one) => few.accept(one)));
        await lockAwaited(database.pool);
        assert.equal((await few.accept(request())).outcome, 'created');
        return asked;
      });
      for (const end of ends) assert.ok(end.status === 'rejected' && isLockTimeout(end.reason));
      assert.equal((await few.accept(request(work))).outcome, 'unfinished');
    } finally {
      await hasty.end();
    }
  });
});

test('processes that ask for the same at the same time get one task for it, and none fails', async () => {
  const acceptors = Array.from({ length: 4 }, () => new Acceptor(database.pool));
  const work = Array.from({ length: 20 }, () => ({ ...sameWork(), quota: QUOTA }));
  const asked = acceptors.flatMap((one, shift) =>
    work.flatMap((_, index) => {
      // Each in another order, together, alone, and as releases before the functions did.
      const kind = work[(index * (shift + 1) + shift) % work.length]!;
      return [
        one.accept(request({ ...kind, idempotencyKey: 'k' })),
        one.accept(request(kind)),
        accept(kind),
        acceptByOracle(database.pool, request(kind)),
      ];
    }),
  );
  const answers = await Promise.all(asked);
  assert.equal(new Set(answers.map(({ id }) => id)).size, work.length);
});
