/**
 * What an error of ClickHouse means.
 */

/**
 * 6, 26, 27, 38, 41, 72 CANNOT_PARSE_…, 53 TYPE_MISMATCH, 69 ARGUMENT_OUT_OF_BOUND, 70 CANNOT_CONVERT_TYPE, 117 INCORRECT_DATA,
 * 349 CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN, 407 DECIMAL_OVERFLOW, 469 VIOLATED_CONSTRAINT
 */
const OF_A_ROW = /^(6|26|27|38|41|72|53|69|70|117|349|407|469)$/;

/** Whether an error means that ClickHouse refuses what a row says, so that it would do so again. */
export function isRowRefused(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && OF_A_ROW.test(String(error.code));
}

/** Whether an error means that ClickHouse is away or busy, so that the same call may succeed later. */
export function isClickhouseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  // 159 TIMEOUT_EXCEEDED, 202 TOO_MANY_SIMULTANEOUS_QUERIES, 241 MEMORY_LIMIT_EXCEEDED, 242 TABLE_IS_READ_ONLY
  if (/^(159|202|241|242)$/.test(code)) return true;
  if (/^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)/.test(code)) return true;
  return /Timeout error|socket hang up/i.test(error.message);
}
