/** Calls functions of others whose failure must hurt neither the caller nor the process. */

/** @param failed gets what the call threw, or what the promise it returned was rejected with. */
export function guard(call: () => unknown, failed: (error: unknown) => void = warn): void {
  try {
    const returned = call();
    if (isPromise(returned)) returned.then(undefined, (error: unknown) => report(error, failed));
  } catch (error) {
    report(error, failed);
  }
}

function report(error: unknown, failed: (error: unknown) => void): void {
  try {
    const reported: unknown = failed(error);
    if (isPromise(reported)) reported.then(undefined, warn);
  } catch (another) {
    warn(another);
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}

/** The last resort: a warning on standard error. */
function warn(error: unknown): void {
  let text: string;
  try {
    text = String(error instanceof Error ? error.message : error);
  } catch {
    text = 'What was thrown has no text.';
  }
  process.emitWarning(`A listener failed: ${text}`);
}
