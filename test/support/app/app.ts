/**
 * The whole application in the process of the test: its own database, key prefix and coach, and people who use it.
 */
import { signToken } from '../../../api/http/auth.ts';
import { startApp, type App } from '../../../app.ts';
import type { ResolvedConfig } from '../../../base/config.ts';
import { Telemetry, type EventName } from '../../../base/telemetry/telemetry.ts';
import { startTestCoach, type TestCoach } from '../domain/coach.ts';
import { testConfig } from '../config.ts';
import { stretched } from '../patience.ts';
import { createTestDatabase, type TestDatabase } from '../stores/postgres.ts';
import { insertTellingPractice, insertUser } from '../domain/practices.ts';
import { createTestRedis, type TestRedis } from '../stores/redis.ts';
import { Signals } from '../signals.ts';

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

export interface Person {
  id: number;
  externalId: string;
  /** A finished practice that gets feedback. @returns its external id. */
  practice(): Promise<string>;
  call<T>(
    method: string,
    path: string,
    options?: { body?: object; headers?: Record<string, string> },
  ): Promise<Answer<T>>;
}

export interface TestStores {
  database: TestDatabase;
  redis: TestRedis;
  coach: TestCoach;
  config: ResolvedConfig;
  drop(): Promise<void>;
}

export interface TestApp extends TestStores {
  app: App;
  told: Signals<EventName>;
  person(): Promise<Person>;
  /** Stops the application, then removes what it wrote. */
  stop(): Promise<void>;
}

export interface TaskBody {
  task_id: string;
  status: string;
  attempts: number;
  progress: { value: number; note: string | null } | null;
  result: { practice_id: string; text: string } | null;
  error: { code: string } | null;
}

export async function createTestStores(): Promise<TestStores> {
  const [database, coach] = await Promise.all([createTestDatabase(), startTestCoach()]);
  const redis = createTestRedis();
  const config = testConfig({
    databaseUrl: database.url,
    redisUrl: redis.url,
    queuePrefix: redis.prefix,
    openaiBaseUrl: coach.url,
    leaseMs: stretched(500),
    shutdownGraceMs: 0,
  });
  return {
    database,
    redis,
    coach,
    config,
    async drop() {
      await coach.stop();
      await redis.clear();
      await database.drop();
    },
  };
}

/** @param change makes the configuration from one that fits the stores. */
export async function startTestApp(
  change: (
    stores: TestStores,
  ) => Partial<ResolvedConfig> | Promise<Partial<ResolvedConfig>> = () => ({}),
): Promise<TestApp> {
  const stores = await createTestStores();
  const config = { ...stores.config, ...(await change(stores)) };
  const telemetry = new Telemetry();
  const told = new Signals<EventName>();
  telemetry.on((event) => told.note(event));
  const app = await startApp(config, telemetry);
  return {
    ...stores,
    config,
    app,
    told,
    person: () => createPerson(stores.database, app.origin ?? '', config.jwtSecurity),
    async stop() {
      await app.stop();
      await stores.drop();
    },
  };
}

/** What a user sends as `Authorization`. */
export async function createBearer(
  { id, externalId }: { id: number; externalId: string },
  secret: string,
  roles: string[] = [],
): Promise<string> {
  const claims = {
    id,
    _id: externalId,
    username: 'mei',
    isTemp: false,
    roles,
    permissions: [],
  };
  return `Bearer ${await signToken(secret, claims, { expiresInSeconds: 600 })}`;
}

export async function createPerson(
  { pool }: TestDatabase,
  origin: string,
  secret: string,
): Promise<Person> {
  const { id, externalId } = await insertUser(pool);
  const authorization = await createBearer({ id, externalId }, secret);
  return {
    id,
    externalId,
    practice: () => insertTellingPractice(pool, id),
    async call<T>(
      method: string,
      path: string,
      { body, headers }: { body?: object; headers?: Record<string, string> } = {},
    ) {
      const response = await fetch(new URL(path, origin), {
        method,
        headers: {
          authorization,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = (await response.json()) as T;
      return { status: response.status, headers: response.headers, body: answer };
    },
  };
}
