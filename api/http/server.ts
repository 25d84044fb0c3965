/**
 * The HTTP application: what holds for every route, then the routes.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import { requirePrincipals } from './auth.ts';
import { acceptJsonOnly, BODY_LIMIT_BYTES, findUrlProblem } from './body.ts';
import type { Api, ApiDependencies, OperationsDependencies, RouteContext } from '../context.ts';
import { refuseConnection, routeOf, sendError } from './errors.ts';
import { describeRoutes } from './openapi.ts';
import { postgresReaders } from '../feedback/readers.ts';
import { serveInEnvelope } from './envelope.ts';
import { embeddingRoutes } from '../recommendations/embeddings.ts';
import { eventRoutes } from '../events/routes.ts';
import { feedbackRoutes } from '../feedback/routes.ts';
import { internalRoutes } from '../internal/routes.ts';
import { operationsRoutes } from '../operations/routes.ts';
import { recommendationRoutes } from '../recommendations/routes.ts';
import { scheduleRoutes } from '../schedules/routes.ts';
import { taskRoutes } from '../tasks/routes.ts';
import { topicCardRoutes } from '../recommendations/topic-cards.ts';
import { refuseUnknownRoutes } from './routing.ts';
import * as timeouts from './timeouts.ts';
import { compileValidator, type TypeBoxProvider } from './validation.ts';

/** Builds the application, ready to listen or to `inject` into. */
export async function buildApi(deps: ApiDependencies): Promise<FastifyInstance> {
  const readers = deps.readers ?? postgresReaders(deps.db);
  return buildServer(deps, (app, closing) => {
    const context: RouteContext = { ...deps, readers, closing };
    const addRoutes = (to: Api): void => {
      feedbackRoutes(to, context);
      taskRoutes(to, context);
      embeddingRoutes(to, context);
      recommendationRoutes(to, context);
      eventRoutes(to, context);
      scheduleRoutes(to, context);
    };
    addRoutes(app);
    internalRoutes(app, context);
    serveInEnvelope(app, context.telemetry, (v1) => {
      addRoutes(v1);
      topicCardRoutes(v1, context);
    });
  });
}

/** Builds what a process without the API answers. */
export async function buildOperations(deps: OperationsDependencies): Promise<FastifyInstance> {
  return buildServer(deps, () => undefined);
}

/** @param addRoutes adds those beside the ones every process has; the signal is aborted when it begins to close. */
async function buildServer(
  deps: OperationsDependencies,
  addRoutes: (app: Api, closing: AbortSignal) => void,
): Promise<FastifyInstance> {
  const { config, telemetry } = deps;
  const app = createFastify(telemetry);
  const closing = new AbortController();

  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler((error, request, reply) => sendError(telemetry, error, request, reply));
  app.addHook('preClose', async () => closing.abort());
  app.addHook('onRequest', async (request, reply) => {
    setCommonHeaders(reply, request.id);
    const problem = findUrlProblem(request.url);
    if (problem !== undefined) throw problem;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing.signal.aborted) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    telemetry.emit('http.request', {
      requestId: request.id,
      method: request.method,
      route: routeOf(request),
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
    });
  });
  timeouts.limitHandlers(app);
  await allowOrigins(app, config.corsOrigins);
  requirePrincipals(app, config);
  acceptJsonOnly(app);
  refuseUnknownRoutes(app);
  await describeRoutes(app);
  operationsRoutes(app, deps);
  addRoutes(app, closing.signal);
  await app.ready();
  return app;
}

/** Lets pages of these origins call with cookies. Before anything asks for a token: a browser's first question has none. */
async function allowOrigins(app: Api, origins: readonly string[] | undefined): Promise<void> {
  if (origins === undefined) return;
  await app.register(cors, {
    origin: [...origins],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    exposedHeaders: ['location', 'retry-after', 'x-auth-state', 'x-request-id'],
    maxAge: 600,
  });
}

function createFastify(telemetry: Telemetry): Api {
  return Fastify({
    logger: false,
    genReqId: requestId,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: timeouts.REQUEST_TIMEOUT_MS,
    connectionTimeout: timeouts.CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: timeouts.KEEP_ALIVE_TIMEOUT_MS,
    http: { headersTimeout: timeouts.HEADERS_TIMEOUT_MS, connectionsCheckingInterval: 2000 },
    // A base URL that ends in a slash makes two of one.
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    // What arrives on a kept connection while the server drains is still served, then the connection is closed.
    return503OnClosing: false,
    clientErrorHandler: refuseConnection,
    frameworkErrors(error, request, reply) {
      setCommonHeaders(reply, request.id);
      sendError(telemetry, findUrlProblem(request.url) ?? error, request, reply);
    },
  }).withTypeProvider<TypeBoxProvider>();
}

/** The caller's own id for a request, if it is a harmless one, so that logs on both sides can be joined. */
function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

function setCommonHeaders(reply: Pick<FastifyReply, 'headers'>, id: string): void {
  reply.headers({
    'x-request-id': id,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
}
