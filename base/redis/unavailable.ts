/** Classifies Redis errors. */
import { isUnreachable } from '../unreachable.ts';

/** Replies of a Redis that is starting, failing over, busy or unable to save. It did not run the command. */
const BUSY =
  /^(LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|BUSY|UNBLOCKED|NOREPLICAS|MISCONF)\b/;
const DISCONNECTED =
  /Command timed out|Connection is closed|max retries per request|Stream isn't writeable|Failed to refresh slots|Too many Cluster redirections|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN/;

/** Whether the same command may succeed later. */
export function isRedisUnavailable(error: unknown): boolean {
  if (isUnreachable(error)) return true;
  const message = error instanceof Error ? error.message : '';
  return BUSY.test(message) || DISCONNECTED.test(message);
}
