/**
 * What an error of Redis means.
 */
import { isUnreachable } from '../unreachable.ts';

/** Replies of a Redis that is starting, failing over, busy or cannot save: the command did not run. */
const BUSY =
  /^(LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|BUSY|UNBLOCKED|NOREPLICAS|MISCONF)\b/;
const DISCONNECTED =
  /Command timed out|Connection is closed|max retries per request|Stream isn't writeable|Failed to refresh slots|Too many Cluster redirections|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN/;

/** Whether an error means that Redis is unavailable, so that the same command may succeed later. */
export function isRedisUnavailable(error: unknown): boolean {
  if (isUnreachable(error)) return true;
  const message = error instanceof Error ? error.message : '';
  return BUSY.test(message) || DISCONNECTED.test(message);
}
