/**
 * Authenticates requests with DaoDao's JWTs (HS256) from `Authorization: Bearer` or the `auth_token` cookie.
 * Every route requires a principal unless its config sets `public`, `optional` or `internal`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createSigner, createVerifier, TokenError } from 'fast-jwt';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { ResolvedConfig } from '../../base/config.ts';
import { AppError } from '../../base/errors.ts';
import { assertAllowedOrigin } from './origin.ts';
import { UUID_PATTERN } from './schemas.ts';

const TokenUser = Type.Object({
  id: Type.Integer(),
  /** External id, the one in rows and routes. */
  _id: Type.String({ pattern: UUID_PATTERN }),
  username: Type.String(),
  isTemp: Type.Boolean(),
  roles: Type.Array(Type.String()),
  permissions: Type.Array(Type.String()),
});
const tokenClaims = Compile(
  Type.Object({ ...TokenUser.properties, exp: Type.Optional(Type.Number()) }),
);

export type TokenUser = Static<typeof TokenUser>;

export interface Principal {
  /** External id, in lower case. */
  userId: string;
  username: string;
  isTemp: boolean;
  roles: readonly string[];
  permissions: readonly string[];
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null;
  }
  interface FastifyContextConfig {
    /** Answers without a token. Default false. */
    public?: boolean;
    /** Also answers without a token, differently; refuses an invalid one. Default false. */
    optional?: boolean;
    /** Requires the internal key of services instead of a token. Default false. */
    internal?: boolean;
    /** Requires the role `admin`. Default false. */
    admin?: boolean;
    /** Spends calls of a model, which temporary users may not. Default false. */
    callsModel?: boolean;
  }
}

/** Refuses unauthenticated requests before reading the body. */
export function requirePrincipals(
  app: FastifyInstance,
  config: Pick<ResolvedConfig, 'jwtSecurity' | 'internalApiKey' | 'corsOrigins' | 'tokenMaxDays'>,
): void {
  const { internalApiKey, corsOrigins = [], tokenMaxDays, jwtSecurity: key } = config;
  const verify = createVerifier({ key, algorithms: ['HS256'] });
  app.decorateRequest('principal', null);
  /** @returns null where the route needs none. */
  const authenticate = (request: FastifyRequest, reply: FastifyReply): Principal | null => {
    const route = request.routeOptions.config;
    if (request.is404 || route.public === true) return null;
    if (route.internal === true) {
      assertInternal(request.headers['x-internal-api-key'], internalApiKey);
      return null;
    }
    const found = findToken(request.headers);
    if (found === undefined && route.optional === true) return null;
    if (found === undefined) throw new AppError('UNAUTHENTICATED');
    let principal: Principal;
    try {
      principal = readToken(found.token, verify, tokenMaxDays);
    } catch (error) {
      reply.header('www-authenticate', 'Bearer error="invalid_token"');
      throw error;
    }
    if (found.isCookie) assertAllowedOrigin(request, corsOrigins);
    if (route.admin === true && !isAdmin(principal)) throw new AppError('FORBIDDEN');
    if (route.callsModel === true && principal.isTemp) throw new AppError('USER_TEMPORARY');
    return principal;
  };
  app.addHook('onRequest', (request, reply, done) => {
    request.principal = authenticate(request, reply);
    done();
  });
}

/** @throws {AppError} `UNAUTHENTICATED` on a public route. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new AppError('UNAUTHENTICATED');
  return request.principal;
}

export function isAdmin({ roles }: Principal): boolean {
  return roles.includes('admin');
}

/** Whether a principal may see and revoke what this user requested. What no user requested belongs to the admins. */
export function owns(principal: Principal, userId: string | null): boolean {
  return userId === null ? isAdmin(principal) : userId.toLowerCase() === principal.userId;
}

/** Issues a token like DaoDao's back end, for the demo and tests. */
export async function signToken(
  secret: string,
  user: TokenUser,
  { expiresInSeconds }: { expiresInSeconds: number },
): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  return createSigner({ key: secret, algorithm: 'HS256' })({
    ...user,
    iat,
    exp: iat + expiresInSeconds,
  });
}

/** Compares digests of equal length in constant time. Without a configured key, refuses every request. */
function assertInternal(given: unknown, expected: string | undefined): void {
  const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
  const isRight =
    expected !== undefined &&
    typeof given === 'string' &&
    timingSafeEqual(digestOf(given), digestOf(expected));
  if (!isRight) {
    throw new AppError('UNAUTHENTICATED', {
      message: 'Send the internal key in X-Internal-API-Key.',
    });
  }
}

/** An invalid Bearer token is final: a stale cookie must not replace it. */
function findToken(headers: IncomingHttpHeaders): { token: string; isCookie: boolean } | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '');
  if (bearer?.[1] !== undefined) return { token: bearer[1], isCookie: false };
  for (const pair of headers.cookie?.split(';') ?? []) {
    const [name, value] = pair.split('=', 2);
    if (name?.trim() === 'auth_token' && value !== undefined) {
      return { token: value.trim().replaceAll('"', ''), isCookie: true };
    }
  }
  return undefined;
}

function readToken(token: string, verify: (token: string) => unknown, maxDays: number): Principal {
  let claims: unknown;
  try {
    claims = verify(token);
  } catch (error) {
    const isExpired = error instanceof TokenError && error.code === TokenError.codes.expired;
    const message = isExpired ? 'The token has expired.' : undefined;
    throw new AppError('UNAUTHENTICATED', { ...(message && { message }), cause: error });
  }
  if (!tokenClaims.Check(claims)) throw new AppError('UNAUTHENTICATED');
  assertExpires(claims.exp, maxDays);
  const { _id, username, isTemp, roles, permissions } = claims;
  return { userId: _id.toLowerCase(), username, isTemp, roles, permissions };
}

const DAY_SECONDS = 86_400;

/** A token that never expires could not be withdrawn. @param maxDays 0: any token. */
function assertExpires(exp: number | undefined, maxDays: number): void {
  if (maxDays === 0) return;
  const latest = Date.now() / 1000 + maxDays * DAY_SECONDS;
  if (exp !== undefined && exp <= latest) return;
  throw new AppError('UNAUTHENTICATED', {
    message: `The token must expire (exp) within ${maxDays} days.`,
  });
}
