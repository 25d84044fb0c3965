/** Errors as JSON data, for threads and the log. */
import { isInstance, messageOf, propertyOf, textOf } from '../thrown.ts';

export interface DescribedError {
  name?: string;
  code?: string | number;
  message: string;
  stack?: string;
  cause?: DescribedError;
  errors?: DescribedError[];
}

/** Longest message or stack, in characters. */
const MAX_LENGTH = 4000;
/** Longest name or code, in characters. */
const MAX_WORD_LENGTH = 200;
/** Most errors of an aggregate. */
const MAX_ERRORS = 5;

/**
 * Describes whatever was thrown, and never throws itself. Keeps name, code, message, the first five stack frames and up to three
 * levels of causes, but no properties a driver adds. Masks passwords in URLs: drivers quote them.
 */
export function describeError(error: unknown, depth = 3): DescribedError {
  const message = bounded(messageOf(error));
  if (!isInstance(error, Error)) return { message };
  const code = propertyOf(error, 'code');
  const cause = propertyOf(error, 'cause');
  const stack = propertyOf(error, 'stack');
  return {
    name: textOf(propertyOf(error, 'name')).slice(0, MAX_WORD_LENGTH),
    ...(code === undefined ? {} : { code: codeOf(code) }),
    message,
    stack: typeof stack === 'string' ? bounded(stack).split('\n').slice(1, 6).join('\n') : '',
    ...(cause === undefined || depth === 0 ? {} : { cause: describeError(cause, depth - 1) }),
    ...(isInstance(error, AggregateError) && depth > 0 ? { errors: innerOf(error, depth) } : {}),
  };
}

function codeOf(code: unknown): string | number {
  return Number.isFinite(code) ? (code as number) : textOf(code).slice(0, MAX_WORD_LENGTH);
}

function innerOf(error: AggregateError, depth: number): DescribedError[] {
  try {
    const errors: readonly unknown[] = error.errors;
    return errors.slice(0, MAX_ERRORS).map((inner) => describeError(inner, depth - 1));
  } catch {
    return [];
  }
}

/** Cuts a URL at the end, too, as the mask would miss a password that is cut off. */
function bounded(text: string): string {
  if (text.length <= MAX_LENGTH) return maskPasswords(text);
  const start = text.slice(0, MAX_LENGTH);
  const url = start.indexOf('//', start.search(/\S*$/));
  return `${maskPasswords(url === -1 ? start : start.slice(0, url))}…`;
}

function maskPasswords(text: string): string {
  return text.replaceAll(/(\/\/[^\s/:@]*:)\S+@/g, '$1***@');
}
