/** Detects network errors, which every client passes on with their code. */
const CODES = /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN)/;

export function isUnreachable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CODES.test(String(error.code));
}
