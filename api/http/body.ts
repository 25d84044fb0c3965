/**
 * Limits bodies to one media type, a maximum depth, a maximum number of values and text Postgres can store.
 * Replaces the framework's parser, so that invalid text is refused before the 202.
 */
import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../base/errors.ts';
import { isStorable } from '../../base/options/storable.ts';

/** In bytes, for routes without their own limit. */
export const BODY_LIMIT_BYTES = 256 * 1024;

/** Nesting of arrays and objects. */
const MAX_DEPTH = 32;

/** Values in arrays and objects: twice those of 500 events with every field. Parsing a million takes a second. */
const MAX_VALUES = 10_000;

/** In bytes. Larger bodies are parsed in turns of the event loop of their own: those of many requests delay the others by one of them at a time. */
export const LARGE_BYTES = 32 * 1024;

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

/** Stands for a missing or empty body. */
export const NO_BODY: object = Object.freeze({});

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route checks text item by item. Default false: the whole body is refused. */
    checksText?: boolean;
  }
}

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
      if (body.length > LARGE_BYTES) await ownTurn();
      const value = parseBody(body);
      const problem = request.routeOptions.config.checksText ? undefined : findTextProblem(value);
      if (problem !== undefined) throw problem;
      return value;
    },
  );
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.body === undefined) request.body = NO_BODY;
    done();
  });
}

let lastTurn = Promise.resolve();

/** Resolves in a turn of the event loop in which no other caller goes on. */
function ownTurn(): Promise<void> {
  lastTurn = lastTurn.then(() => nextTurn());
  return lastTurn;
}

/**
 * @throws {AppError} `BODY_MALFORMED`: invalid JSON, too deep, or a field named `__proto__`; `BODY_TOO_LARGE`: too many
 * values.
 */
function parseBody(body: Buffer): unknown {
  assertBounded(body);
  if (!isUtf8(body)) throw new AppError('BODY_MALFORMED');
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
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

const byteOf = (character: string): number => character.charCodeAt(0);
const QUOTE = byteOf('"');
const BACKSLASH = byteOf('\\');
const COMMA = byteOf(',');
const OPENING = [byteOf('['), byteOf('{')];
const CLOSING = [byteOf(']'), byteOf('}')];

/** Looks only at the punctuation, before anything is built: a body that costs too much to parse is never parsed. */
function assertBounded(body: Uint8Array): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === QUOTE) {
      for (at++; at < body.length && body[at] !== QUOTE; at++) if (body[at] === BACKSLASH) at++;
    } else if (byte === COMMA) {
      values++;
    } else if (byte === OPENING[0] || byte === OPENING[1]) {
      values++;
      depth++;
      if (depth > MAX_DEPTH) {
        throw new AppError('BODY_MALFORMED', {
          message: `The body is nested deeper than ${MAX_DEPTH} levels.`,
        });
      }
    } else if (byte === CLOSING[0] || byte === CLOSING[1]) {
      depth--;
    }
    if (values > MAX_VALUES) {
      throw new AppError('BODY_TOO_LARGE', {
        message: `The body has more than ${MAX_VALUES.toLocaleString('en')} values.`,
      });
    }
  }
}

/** @returns `TEXT_NOT_STORABLE` when a text or field name cannot be stored. */
export function findTextProblem(value: unknown): AppError | undefined {
  let isFine = true;
  const look = (text: string): void => {
    isFine &&= isStorable(text);
  };
  walk(value, { key: look, text: look });
  return isFine ? undefined : new AppError('TEXT_NOT_STORABLE');
}

export function findUrlProblem(url: string): AppError | undefined {
  try {
    return isStorable(decodeURIComponent(url)) ? undefined : new AppError('TEXT_NOT_STORABLE');
  } catch {
    // UTF-8 cannot encode a lone surrogate; lenient encoders write ED A0 80 to ED BF BF.
    return /%ED%[AB]/i.test(url)
      ? new AppError('TEXT_NOT_STORABLE')
      : new AppError('REQUEST_INVALID', { message: 'The URL is not percent-encoded UTF-8.' });
  }
}

/** Visits every text and field name of a body that was parsed, and is thus bounded. */
function walk(value: unknown, see: Record<'key' | 'text', (text: string) => void>): void {
  if (typeof value === 'string') see.text(value);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    see.key(key);
    walk(inner, see);
  }
}
