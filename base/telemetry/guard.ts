/** Calls functions of others whose failure must hurt neither the caller nor the process. */

/** @param failed gets what the call threw, or what the promise it returned was rejected with. */
export function guard(call: () => unknown, failed: (error: unknown) => void = warn): void {
  const report = (error: unknown): void => {
    try {
      const reported: unknown = failed(error);
      if (isPromise(reported)) reported.then(undefined, warn);
    } catch (another) {
      warn(another);
    }
  };
  try {
    const returned = call();
    if (isPromise(returned)) returned.then(undefined, report);
  } catch (error) {
    report(error);
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
