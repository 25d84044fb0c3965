/**
 * What may enter: one media type, bounded depth, and text that Postgres can store.
 * Read here rather than by the framework's parser, because what is refused after the 202 is refused too late.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';

/** Largest body, in bytes. */
export const BODY_LIMIT_BYTES = 256 * 1024;

/** Arrays and objects inside one another. */
const MAX_DEPTH = 32;

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Makes `application/json` the only body the server reads. A body left out or empty is one with no fields. */
export function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
        throw new AppError('CONTENT_TYPE_UNSUPPORTED');
      }
      return body.length === 0 ? undefined : parseBody(body);
    },
  );
  app.addHook('preValidation', async (request) => {
    if (request.body === undefined) request.body = {};
  });
}

/** @throws {AppError} `BODY_MALFORMED` or `TEXT_NOT_STORABLE`. */
export function parseBody(body: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    throw new AppError('BODY_MALFORMED');
  }
  checkValue(value);
  return value;
}

/** What is wrong with a URL whose text cannot be stored, or that is no text at all. */
export function findUrlProblem(url: string): AppError | undefined {
  try {
    checkText(decodeURIComponent(url));
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    // UTF-8 has no form for half a surrogate pair; encoders that do not know it write ED A0 80 to ED BF BF.
    return /%ED%[AB]/i.test(url)
      ? new AppError('TEXT_NOT_STORABLE')
      : new AppError('REQUEST_INVALID', { message: 'The URL is not percent-encoded UTF-8.' });
  }
}

/** Walks with a list of its own: a recursive walk would end at the stack's limit before it ends at ours. */
function checkValue(root: unknown): void {
  const left: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string') checkText(value);
    if (typeof value !== 'object' || value === null) continue;
    if (depth > MAX_DEPTH) {
      throw new AppError('BODY_MALFORMED', {
        message: `The body is nested deeper than ${MAX_DEPTH} levels.`,
      });
    }
    for (const [key, inner] of Object.entries(value)) {
      checkKey(key);
      left.push({ value: inner, depth: depth + 1 });
    }
  }
}

function checkKey(key: string): void {
  if (key === '__proto__') {
    throw new AppError('BODY_MALFORMED', { message: 'The body has a field named __proto__.' });
  }
  checkText(key);
}

function checkText(text: string): void {
  if (text.includes('\0') || /\p{Surrogate}/u.test(text)) throw new AppError('TEXT_NOT_STORABLE');
}
