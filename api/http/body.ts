/**
 * What may enter: one media type, bounded depth, and text that Postgres can store.
 * Read here rather than by the framework's parser, because what is refused after the 202 is refused too late.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../base/errors.ts';

/** Largest body, in bytes, where a route has no limit of its own. */
export const BODY_LIMIT_BYTES = 256 * 1024;

/** Arrays and objects inside one another. */
const MAX_DEPTH = 32;

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What stands for a body that was left out or is empty: one with no fields. */
export const NO_BODY: object = Object.freeze({});

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route itself refuses text that cannot be stored, item by item. Default false: bodies with such text are refused. */
    checksText?: boolean;
  }
}

/** Makes `application/json` the only body the server reads. */
export function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
        throw new AppError('CONTENT_TYPE_UNSUPPORTED');
      }
      if (body.length === 0) return undefined;
      const value = parseBody(body);
      const problem = request.routeOptions.config.checksText ? undefined : findTextProblem(value);
      if (problem !== undefined) throw problem;
      return value;
    },
  );
  app.addHook('preValidation', async (request) => {
    if (request.body === undefined) request.body = NO_BODY;
  });
}

/** @throws {AppError} `BODY_MALFORMED`: no JSON, too deep, or with a field named `__proto__`. */
function parseBody(body: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    throw new AppError('BODY_MALFORMED');
  }
  walk(value, {
    key(name) {
      if (name !== '__proto__') return;
      throw new AppError('BODY_MALFORMED', { message: 'The body has a field named __proto__.' });
    },
    text: () => undefined,
  });
  return value;
}

/** `TEXT_NOT_STORABLE` where a text or a name within a parsed body cannot be stored. */
export function findTextProblem(value: unknown): AppError | undefined {
  let isStorable = true;
  const look = (text: string): void => {
    isStorable &&= isText(text);
  };
  walk(value, { key: look, text: look });
  return isStorable ? undefined : new AppError('TEXT_NOT_STORABLE');
}

/** What is wrong with a URL whose text cannot be stored, or that is no text at all. */
export function findUrlProblem(url: string): AppError | undefined {
  try {
    return isText(decodeURIComponent(url)) ? undefined : new AppError('TEXT_NOT_STORABLE');
  } catch {
    // UTF-8 has no form for half a surrogate pair; encoders that do not know it write ED A0 80 to ED BF BF.
    return /%ED%[AB]/i.test(url)
      ? new AppError('TEXT_NOT_STORABLE')
      : new AppError('REQUEST_INVALID', { message: 'The URL is not percent-encoded UTF-8.' });
  }
}

/**
 * Shows every text and name. Walks with a list of its own: a recursive walk would end at the stack's limit before it ends
 * at ours.
 * @throws {AppError} `BODY_MALFORMED` below the deepest level.
 */
function walk(root: unknown, see: Record<'key' | 'text', (text: string) => void>): void {
  const left: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string') see.text(value);
    if (typeof value !== 'object' || value === null) continue;
    if (depth > MAX_DEPTH) {
      throw new AppError('BODY_MALFORMED', {
        message: `The body is nested deeper than ${MAX_DEPTH} levels.`,
      });
    }
    for (const [key, inner] of Object.entries(value)) {
      see.key(key);
      left.push({ value: inner, depth: depth + 1 });
    }
  }
}

function isText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}
