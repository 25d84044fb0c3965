/**
 * The whole application on real engines and the local vector store, with the seed, for tests that speak HTTP.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ResolvedConfig } from '../../../base/config.ts';
import { seed, seedEvents, SEED_USERS } from '../../../db/seed/seed.ts';
import { embeddingModelOf, prepareVectors } from '../../../db/daodao/vector-collections.ts';
import { createBearer, startTestApp, type Answer, type TestApp } from './app.ts';
import { atEnd } from '../at-end.ts';
import { startTestClickhouse, type TestClickhouse } from '../stores/clickhouse.ts';
import { stretched } from '../patience.ts';
import { startProxy, type StoreProxy } from '../stores/proxy.ts';
import { startTestVectorStore } from '../stores/vector-store.ts';

export interface Caller {
  externalId: string;
  call<T>(
    method: string,
    path: string,
    options?: { body?: object; headers?: Record<string, string> },
  ): Promise<Answer<T>>;
}

export interface Whole extends TestApp {
  clickhouse: TestClickhouse;
  /** In the way of each store that may be away. */
  proxies: { clickhouse: StoreProxy; vectors: StoreProxy };
  /** Somebody of the seed. */
  as(nickname: string, roles?: string[]): Promise<Caller>;
  anonymous: Caller;
  /** Waits for an accepted task. @returns its body. */
  done<T>(caller: Caller, accepted: Answer<{ task_id: string }>): Promise<T>;
}

interface Task {
  status: string;
  result: unknown;
  error: unknown;
}

/** @param overrides of the configuration. */
export async function startWhole(
  t: TestContext,
  overrides: Partial<ResolvedConfig> = {},
): Promise<Whole> {
  const [clickhouse, store] = await Promise.all([startTestClickhouse(), startTestVectorStore()]);
  const proxies = {
    clickhouse: await startProxy(clickhouse.url),
    vectors: await startProxy(store.url),
  };
  const app = await startTestApp(({ config }) => ({
    clickhouseUrl: proxies.clickhouse.url,
    qdrantUrl: proxies.vectors.url,
    vectorSize: config.vectorSize,
    // Calls that a test makes one after the other are one update, on a busy machine too.
    embeddingDebounceMs: stretched(500),
    ...overrides,
  }));
  atEnd(t, async () => {
    await app.stop();
    await proxies.clickhouse.cut();
    await proxies.vectors.cut();
    await clickhouse.stop();
    await store.stop();
  });
  await Promise.all([
    seed(app.database.pool),
    seedEvents(clickhouse.client),
    prepareVectors(store.client, embeddingModelOf(app.config)),
  ]);
  const origin = app.app.origin!;
  return {
    ...app,
    clickhouse,
    proxies,
    anonymous: callerOf('', origin, {}),
    async as(nickname, roles = []) {
      const user = SEED_USERS.find((one) => one.nickname === nickname)!;
      const authorization = await createBearer(user, app.config.jwtSecurity, roles);
      return callerOf(user.externalId, origin, { authorization });
    },
    async done<T>(caller: Caller, accepted: Answer<{ task_id: string }>) {
      assert.equal(accepted.status, 202, JSON.stringify(accepted.body));
      const { body } = await caller.call<Task>('GET', `/tasks/${accepted.body.task_id}?wait=20`);
      assert.equal(body.status, 'done', JSON.stringify(body));
      return body.result as T;
    },
  };
}

function callerOf(externalId: string, origin: string, own: Record<string, string>): Caller {
  return {
    externalId,
    async call<T>(
      method: string,
      to: string,
      { body, headers }: { body?: object; headers?: Record<string, string> } = {},
    ) {
      const response = await fetch(new URL(to, origin), {
        method,
        headers: {
          ...own,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const answer = (text === '' ? null : JSON.parse(text)) as T;
      return { status: response.status, headers: response.headers, body: answer };
    },
  };
}
