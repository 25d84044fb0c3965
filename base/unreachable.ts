/**
 * Errors of the network, which every client passes on with their code.
 */
const CODES = /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN)/;

/** Whether an error means that a server could not be reached. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CODES.test(String(error.code));
}
