/** `/api/v1`: the routes for DaoDao's front end, with each answer in its envelope. */
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { Type, type TSchema } from 'typebox';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import type { Api } from './api.ts';
import { Details } from './schemas.ts';
import { reportError, toAppError } from './errors.ts';

export const PREFIX = '/api/v1';

declare module 'fastify' {
  interface FastifyReply {
    /** Envelope fields beside the body; undefined when there are none. */
    about: { cacheHit: boolean; limit: number; nextCursor: string | null } | undefined;
  }
}

const Pagination = Type.Union([
  Type.Object({
    limit: Type.Integer(),
    nextCursor: Type.Union([Type.String(), Type.Null()]),
    hasMore: Type.Boolean(),
  }),
  Type.Null(),
]);

function envelopeOf(data: TSchema, error: TSchema): TSchema {
  return Type.Object({
    success: Type.Boolean(),
    data,
    error,
    pagination: Pagination,
    timestamp: Type.String({ format: 'date-time' }),
    requestId: Type.String(),
    cacheHit: Type.Boolean(),
    processingTime: Type.Number({ description: 'Milliseconds.' }),
  });
}

export function serveInEnvelope(
  app: Api,
  telemetry: Telemetry,
  addRoutes: (v1: Api) => void,
): void {
  app.decorateReply('about', undefined);
  void app.register(
    async (scope) => {
      const v1 = scope as unknown as Api;
      // Compiled serializers for these routes too would cost 15 MB.
      v1.setSerializerCompiler(() => (body) => JSON.stringify(body));
      v1.addHook('onRoute', describe);
      v1.addHook('preSerialization', async (_request, reply, body) => wrap(reply, body, null));
      v1.setErrorHandler((error, request, reply) => refuse(telemetry, error, request, reply));
      addRoutes(v1);
    },
    { prefix: PREFIX },
  );
}

const ErrorBody = Type.Object({
  code: Type.String(),
  message: Type.String(),
  details: Type.Optional(Details),
});

type Described = TSchema & {
  description?: string;
  examples?: { error: { code: string; message: string } }[];
};

interface RouteSchema {
  operationId?: string;
  response?: Record<string, Described>;
}

/** Wraps the response schemas of a route and renames its operation. */
function describe(route: RouteOptions): void {
  const schema = route.schema as RouteSchema | undefined;
  if (schema?.response === undefined) return;
  const response = Object.entries(schema.response).map(([status, body]): [string, TSchema] => [
    status,
    Number(status) < 400 ? envelopeOf(body, Type.Null()) : refusalOf(body),
  ]);
  route.schema = {
    ...schema,
    operationId: `${schema.operationId ?? ''}V1`,
    response: Object.fromEntries(response),
  };
}

function refusalOf({ description, examples = [] }: Described): TSchema {
  return {
    ...envelopeOf(Type.Null(), ErrorBody),
    description,
    examples: examples.map(({ error: { code, message } }) => ({
      success: false,
      data: null,
      error: { code, message },
      pagination: null,
      timestamp: '2026-03-01T02:00:00.000Z',
      requestId: 'req-1',
      cacheHit: false,
      processingTime: 1.5,
    })),
  };
}

function wrap(reply: FastifyReply, data: unknown, error: object | null): object {
  const { about, request, elapsedTime } = reply;
  return {
    success: error === null,
    data,
    error,
    pagination:
      about === undefined
        ? null
        : { limit: about.limit, nextCursor: about.nextCursor, hasMore: about.nextCursor !== null },
    timestamp: new Date().toISOString(),
    requestId: request.id,
    cacheHit: about?.cacheHit ?? false,
    processingTime: Math.round(elapsedTime * 1000) / 1000,
  };
}

function refuse(
  telemetry: Telemetry,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const shown = toAppError(error);
  reportError(telemetry, error, shown, request, reply);
  const { code, message, details } = shown;
  const problem = { code, message, ...(details === undefined ? {} : { details }) };
  // Sent as text, so that no hook wraps it again.
  return reply
    .code(shown.status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(wrap(reply, null, problem)));
}
