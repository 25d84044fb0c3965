/**
 * What an error of ClickHouse means.
 */

/** Whether an error means that ClickHouse is away or busy, so that the same call may succeed later. */
export function isClickhouseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  // 159 TIMEOUT_EXCEEDED, 202 TOO_MANY_SIMULTANEOUS_QUERIES, 241 MEMORY_LIMIT_EXCEEDED, 242 TABLE_IS_READ_ONLY
  if (/^(159|202|241|242)$/.test(code)) return true;
  if (/^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)/.test(code)) return true;
  return /Timeout error|socket hang up/i.test(error.message);
}
