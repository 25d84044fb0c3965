/**
 * Errors as data: what JSON can carry, from a thread or into the log.
 */

export interface DescribedError {
  name?: string;
  code?: unknown;
  message: string;
  /** Its first frames. */
  stack?: string;
  cause?: DescribedError;
  errors?: DescribedError[];
}

/**
 * Errors as data: name, code, message and the first stack frames, and those of its causes down to the third; never the
 * properties a driver hangs on them. Passwords in URLs are masked, as drivers like to quote where they connected to.
 */
export function describeError(error: unknown, depth = 3): DescribedError {
  if (!(error instanceof Error)) return { message: maskPasswords(String(error)) };
  const code: unknown = 'code' in error ? error.code : undefined;
  const inner = (value: unknown) => describeError(value, depth - 1);
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: maskPasswords(error.message),
    stack: maskPasswords(error.stack ?? '')
      .split('\n')
      .slice(1, 6)
      .join('\n'),
    ...(error.cause === undefined || depth === 0 ? {} : { cause: inner(error.cause) }),
    ...(error instanceof AggregateError && depth > 0 ? { errors: error.errors.map(inner) } : {}),
  };
}

function maskPasswords(text: string): string {
  return text.replaceAll(/(\/\/[^\s/:@]*:)\S+@/g, '$1***@');
}
