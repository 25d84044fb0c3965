/** Routes for operators: health, readiness, metrics and the API description. */
import { Type } from 'typebox';
import { makeOnce } from '../../base/make-once.ts';
import type { Api } from '../http/api.ts';
import type { Dependency, OperationsDependencies } from './dependencies.ts';
import type { Backlog } from './backlog.ts';
import type { Access } from '../http/openapi.ts';
import { PREFIX } from '../http/envelope.ts';
import { HealthBody, MAX_DEPENDENCIES, ReadyBody } from './schemas.ts';

/** Timeout per dependency, in milliseconds. */
const CHECK_TIMEOUT_MS = 3000;

const PUBLIC = { public: true };

/** Longest age of the metrics, in milliseconds: collecting them takes time on the event loop. */
const METRICS_MS = 1000;

/**
 * @param access to metrics and description.
 * @throws {RangeError} for more than `MAX_DEPENDENCIES`.
 */
export function operationsRoutes(app: Api, deps: OperationsDependencies, access: Access): void {
  const { metrics, readiness, isStuck, backlog } = deps;
  if (readiness.length > MAX_DEPENDENCIES) {
    throw new RangeError(
      `There are ${readiness.length} dependencies: at most ${MAX_DEPENDENCIES} are listed.`,
    );
  }

  for (const [url, operationId] of [
    ['/health', 'getHealth'],
    [`${PREFIX}/health`, 'getHealthV1'],
  ] as const) {
    app.route({
      method: 'GET',
      url,
      config: PUBLIC,
      schema: {
        operationId,
        summary: 'Check whether the process must be restarted',
        tags: ['operations'],
        security: [],
        response: { 200: HealthBody, 503: HealthBody },
      },
      handler: async (_request, reply) => {
        const isOk = isStuck?.() !== true;
        if (!isOk) reply.code(503);
        return { status: isOk ? ('ok' as const) : ('stuck' as const) };
      },
    });
  }

  /** DaoDao's front end polls it. */
  app.route({
    method: 'GET',
    url: `${PREFIX}/ping`,
    config: PUBLIC,
    schema: { hide: true },
    handler: async () => ({ message: 'pong' }),
  });

  app.route({
    method: 'GET',
    url: '/ready',
    config: PUBLIC,
    schema: {
      operationId: 'getReadiness',
      summary: 'Check whether every required dependency answers',
      tags: ['operations'],
      security: [],
      response: { 200: ReadyBody, 503: ReadyBody },
    },
    handler: async (_request, reply) => {
      const results = await Promise.all(
        readiness.map(async (dependency) => ({ dependency, word: await probe(dependency) })),
      );
      const ready = results.every(({ dependency, word }) => word === 'ok' || !dependency.needed);
      if (!ready) reply.code(503).header('retry-after', 1);
      return {
        status: ready ? ('ready' as const) : ('unavailable' as const),
        dependencies: Object.fromEntries(
          results.map(({ dependency, word }) => [dependency.name, word]),
        ),
        ...(backlog === undefined ? {} : { backlog: backlogBody(backlog) }),
      };
    },
  });

  let description: string | undefined;
  const readMetrics = makeOnce(() => metrics.metrics(), METRICS_MS);

  app.route({
    method: 'GET',
    url: '/metrics',
    config: access,
    schema: {
      operationId: 'getMetrics',
      summary: 'Read Prometheus metrics',
      tags: ['operations'],
      security: [],
      response: {
        200: {
          description: 'Prometheus text format.',
          content: { 'text/plain': { schema: Type.String() } },
        },
      },
    },
    handler: async (_request, reply) => {
      reply.type(metrics.contentType);
      return readMetrics();
    },
  });

  app.route({
    method: 'GET',
    url: '/openapi.json',
    config: access,
    schema: {
      operationId: 'getOpenApi',
      summary: 'Read this API description',
      tags: ['operations'],
      security: [],
      response: { 200: Type.Unknown({ description: 'OpenAPI 3.1.' }) },
    },
    handler: async (_request, reply) => {
      description ??= JSON.stringify(app.swagger());
      reply.type('application/json; charset=utf-8');
      return description;
    },
  });
}

function backlogBody({ size, isFull }: Pick<Backlog, 'size' | 'isFull'>) {
  return { tasks: size.tasks, oldest_ms: Math.round(size.ageMs), full: isFull };
}

/** @returns `ok`, `timeout`, `failed` or an error code such as ECONNREFUSED; a message could reveal hosts and users. */
async function probe(dependency: Dependency): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, CHECK_TIMEOUT_MS, 'timeout');
  });
  try {
    return await Promise.race([dependency.check().then(() => 'ok'), timeout]);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : 'failed';
  } finally {
    clearTimeout(timer);
  }
}
