/** The HTTP server: behaviour common to all routes. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import { requirePrincipals } from './auth.ts';
import { acceptJsonOnly, BODY_LIMIT_BYTES, findUrlProblem } from './body.ts';
import type { ResolvedConfig } from '../../base/config.ts';
import type { Api } from './api.ts';
import { refuseConnection, routeOf, sendError } from './errors.ts';
import { shareFairly } from './fair-share.ts';
import { describeRoutes, type Access } from './openapi.ts';
import { refuseUnknownRoutes } from './routing.ts';
import * as timeouts from './timeouts.ts';
import { compileValidator, type TypeBoxProvider } from './validation.ts';

export interface ServerOptions {
  config: ResolvedConfig;
  telemetry: Telemetry;
  /** To the description of the routes. */
  access: Access;
  /** Requests of one account that are under way at a time; more wait. */
  requestsPerAccount: number;
}

/**
 * @param addRoutes the signal is aborted when the server starts to close, which ends long-polls.
 * @returns a server ready to listen or `inject`.
 */
export async function buildServer(
  { config, telemetry, access, requestsPerAccount }: ServerOptions,
  addRoutes: (app: Api, closing: AbortSignal) => void,
): Promise<FastifyInstance> {
  const app = createFastify(telemetry);
  const closing = new AbortController();

  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler((error, request, reply) => sendError(telemetry, error, request, reply));
  app.addHook('preClose', async () => closing.abort());
  app.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(reply, request.id);
    done(findUrlProblem(request.url));
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing.signal.aborted) reply.header('connection', 'close');
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    telemetry.emit('http.request', {
      requestId: request.id,
      method: request.method,
      route: routeOf(request),
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
    });
    done();
  });
  timeouts.limitHandlers(app);
  await allowOrigins(app, config.corsOrigins);
  requirePrincipals(app, config);
  shareFairly(app, requestsPerAccount);
  acceptJsonOnly(app);
  refuseUnknownRoutes(app);
  await describeRoutes(app, access);
  addRoutes(app, closing.signal);
  await app.ready();
  return app;
}

/** Allows cookies from these origins. Registered before authentication, because a preflight request has no token. */
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
    // A base URL with a trailing slash produces two.
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    // While draining, serves requests on open connections, then closes these.
    return503OnClosing: false,
    clientErrorHandler: refuseConnection,
    frameworkErrors(error, request, reply) {
      setCommonHeaders(reply, request.id);
      sendError(telemetry, findUrlProblem(request.url) ?? error, request, reply);
    },
  }).withTypeProvider<TypeBoxProvider>();
}

/** Keeps a safe id of the caller, so that logs on both sides can be joined. */
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
