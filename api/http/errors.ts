/** Converts errors to responses: `{error: {code, message, details?, request_id}}`. */
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isPostgresAway } from '../../db/stores/postgres.ts';
import { AppError, ERRORS, type ErrorCode } from '../../base/errors.ts';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';

/** Framework errors, by their code. */
const FRAMEWORK_ERRORS: Record<string, { code: ErrorCode; message?: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'BODY_TOO_LARGE' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'CONTENT_TYPE_UNSUPPORTED' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'BODY_MALFORMED',
    message: 'The body is not as long as its Content-Length.',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'REQUEST_INVALID',
    message: 'A part of the path is longer than 100 characters.',
  },
};

/** Errors of Node's HTTP parser, raised before there is a request. */
const PARSER_ERRORS: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** An unexpected error becomes `INTERNAL` and shows nothing of the original. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (!(error instanceof Error)) return new AppError('INTERNAL', { cause: error });
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = FRAMEWORK_ERRORS[code];
  if (known !== undefined) return new AppError(known.code, { ...known, cause: error });
  const status = 'statusCode' in error ? Number(error.statusCode) : 0;
  if (status >= 400 && status < 500) return new AppError('REQUEST_INVALID', { cause: error });
  if (isPostgresAway(error)) {
    return new AppError('STORE_UNAVAILABLE', { retryAfterSeconds: 1, cause: error });
  }
  return new AppError('INTERNAL', { cause: error });
}

export function sendError(
  telemetry: Telemetry,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const shown = toAppError(error);
  reportError(telemetry, error, shown, request, reply);
  return reply.code(shown.status).send(errorBody(shown, request.id));
}

/** Emits server errors with their cause, and sets the headers of every error. */
export function reportError(
  telemetry: Telemetry,
  error: unknown,
  shown: AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (shown.status >= 500) {
    telemetry.emit('http.error', {
      requestId: request.id,
      method: request.method,
      route: routeOf(request),
      error: error instanceof AppError ? error : shown.cause,
    });
  }
  // A refused token already has its challenge (RFC 6750).
  if (shown.status === 401 && !reply.hasHeader('www-authenticate')) {
    reply.header('www-authenticate', 'Bearer');
  }
  if (shown.retryAfterSeconds !== undefined) reply.header('retry-after', shown.retryAfterSeconds);
}

/** The route pattern: URLs with ids would create a metric per practice. */
export function routeOf(request: FastifyRequest): string {
  return request.is404 ? '(none)' : (request.routeOptions.url ?? '(none)');
}

/** Answers oversized headers, requests that never end, and bytes that are not HTTP. */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = PARSER_ERRORS[error.code ?? ''] ?? 'REQUEST_INVALID';
  const message = code === 'REQUEST_INVALID' ? 'This is not a valid HTTP request.' : undefined;
  const body = JSON.stringify(errorBody(new AppError(code, message ? { message } : {}), null));
  const lines = [
    `HTTP/1.1 ${ERRORS[code].status} ${code}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function errorBody({ code, message, details }: AppError, requestId: string | null): object {
  return {
    error: {
      code,
      message,
      ...(details === undefined ? {} : { details }),
      request_id: requestId,
    },
  };
}
