/** Errors as JSON data, for threads and the log. */

export interface DescribedError {
  name?: string;
  code?: unknown;
  message: string;
  stack?: string;
  cause?: DescribedError;
  errors?: DescribedError[];
}

/**
 * Keeps name, code, message, the first five stack frames and up to three levels of causes, but no properties a driver
 * adds. Masks passwords in URLs: drivers quote them.
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
