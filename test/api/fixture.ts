/**
 * The application with doubles for what it reads and asks, so that a test decides what they say.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { signToken, type TokenUser } from '../../api/http/auth.ts';
import type { ApiDependencies } from '../../api/context.ts';
import { buildApi } from '../../api/index.ts';
import { Limits } from '../../api/limits.ts';
import { loadConfig, type ResolvedConfig } from '../../base/config.ts';
import type { Feedback } from '../../db/daodao/feedback.ts';
import type { PracticeMaterial } from '../../db/daodao/practices.ts';
import type { TaskView } from '../../jobs/framework/calls/result.ts';
import { countEvents } from '../../base/telemetry/metrics.ts';
import { TaskDouble } from './task-double.ts';
import { Telemetry, type EventName, type Events } from '../../base/telemetry/telemetry.ts';

export const SECRET = 'a secret that only the tests of the api know';

export const OWNER_ID = randomUUID();
export const OWNER = user({ _id: OWNER_ID, username: 'mei' });
export const STRANGER = user({ username: 'tom' });

export const PRACTICE_ID = '5f0c2f0e-6b7a-4d51-9f2c-2f7d1c9a4e11';

export function user(fields: Partial<TokenUser> = {}): TokenUser {
  return {
    id: 7,
    _id: randomUUID(),
    username: 'someone',
    isTemp: false,
    roles: ['user'],
    permissions: [],
    ...fields,
  };
}

export async function bearer(of: TokenUser = OWNER): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await signToken(SECRET, of, { expiresInSeconds: 60 })}` };
}

export function config(overrides: Partial<ResolvedConfig> = {}): ResolvedConfig {
  return {
    ...loadConfig({ PORT: '0' }),
    databaseUrl: 'postgres://unused',
    redisUrl: 'redis://unused',
    clickhouseUrl: 'http://unused',
    qdrantUrl: 'http://unused',
    openaiBaseUrl: 'http://unused',
    openaiApiKey: 'unused',
    jwtSecurity: SECRET,
    ...overrides,
  };
}

/** A finished practice with enough to say about it. */
export function material(): PracticeMaterial {
  const note =
    '今天比昨天早十分鐘開始，窗邊的光剛好落在書頁上，讀到第三章時忽然懂了作者為什麼要從結尾寫起。';
  return {
    practice: {
      id: 1,
      externalId: PRACTICE_ID,
      ownerId: OWNER_ID,
      title: 'Reading at dawn',
      practiceAction: null,
      status: 'completed',
      startDate: '2026-01-05',
      endDate: '2026-01-11',
      durationDays: 7,
      frequencyMinDays: 3,
      frequencyMaxDays: 7,
      sessionDurationMinutes: 30,
      tags: [],
      progressPercentage: 100,
      reflection: null,
      insightEdited: false,
    },
    owner: {
      externalId: OWNER_ID,
      nickname: null,
      personalSlogan: null,
      professionalField: [],
      tags: [],
      preferredLocale: 'zh-TW',
    },
    checkIns: [5, 7, 9].map((day, id) => ({ id, date: `2026-01-0${day}`, mood: 'good', note })),
  };
}

export function feedback(fields: Partial<Feedback> = {}): Feedback {
  return {
    practiceId: PRACTICE_ID,
    text: 'one\ntwo\nthree',
    sections: { breakthrough: 'one', rhythm: 'two', insight: 'three' },
    locale: 'zh-TW',
    provider: 'offline',
    model: 'offline-coach',
    taskId: randomUUID(),
    version: 1,
    createdAt: '2026-01-12T01:00:00.000Z',
    ...fields,
  };
}

export function task(fields: Partial<TaskView> = {}): TaskView {
  return {
    id: randomUUID(),
    name: 'generate_ai_feedback',
    queue: 'ai_tasks',
    status: 'queued',
    user_id: OWNER_ID,
    subject: PRACTICE_ID,
    attempts: 0,
    result: null,
    error_code: null,
    error_message: null,
    created_at: new Date('2026-01-12T01:00:00Z'),
    started_at: null,
    finished_at: null,
    delay_ms: null,
    state: 'pending',
    progress: null,
    ...fields,
  };
}

export interface World {
  deps: ApiDependencies & { readers: NonNullable<ApiDependencies['readers']> };
  tasks: TaskDouble;
  material: PracticeMaterial;
  /** What Postgres and the cache hold. */
  stored: Feedback[];
  cached: Map<string, unknown>;
  events: { event: EventName; fields: Events[EventName] }[];
}

const noQueries = {
  query: async () => {
    throw new Error('no route may query by itself');
  },
};

export function createWorld(): World {
  const telemetry = new Telemetry();
  const tasks = new TaskDouble();
  const practice = material();
  const stored: Feedback[] = [];
  const cached = new Map<string, unknown>();
  const events: World['events'] = [];
  telemetry.on((event, fields) => void events.push({ event, fields }));
  return {
    tasks,
    material: practice,
    stored,
    cached,
    events,
    deps: {
      config: config(),
      db: noQueries,
      reader: noQueries,
      tasks,
      schedules: {
        list: async () => [],
        find: async () => assert.fail('no schedule is there to be found'),
        changes: async () => assert.fail('no schedule is there to be changed'),
        edit: async () => assert.fail('no schedule is there to be edited'),
        run: async () => assert.fail('no schedule is there to be run'),
      },
      cache: {
        set: async () => undefined,
        get: async <T>(key: string) =>
          cached.has(key) ? { version: 1, value: cached.get(key) as T } : undefined,
      },
      telemetry,
      metrics: countEvents(telemetry),
      readiness: [],
      backlog: { size: { tasks: 0, ageMs: 0 }, isFull: false, assertRoom: () => undefined },
      limits: new Limits(
        config(),
        async () => 0,
        (error) => assert.fail(String(error)),
      ),
      readers: {
        practiceOwner: async () => OWNER_ID,
        practiceMaterial: async (id) => (id === PRACTICE_ID ? practice : undefined),
        feedback: async (id, locale) =>
          stored.find((row) => row.practiceId === id && (locale ?? row.locale) === row.locale),
      },
    },
  };
}

/** Builds the application of a world for one test. */
export async function open(
  t: { after(work: () => Promise<void>): void },
  world: World,
): Promise<FastifyInstance> {
  const app = await buildApi(world.deps);
  t.after(() => app.close());
  return app;
}

export interface ErrorBody {
  error: { code: string; message: string; details?: unknown; request_id: string };
}
