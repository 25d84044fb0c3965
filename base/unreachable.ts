/** Detects network errors, which every client passes on with their code. */
import { isInstance, propertyOf, textOf } from './thrown.ts';

const CODES = /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN)/;

export function isUnreachable(error: unknown): boolean {
  return isInstance(error, Error) && CODES.test(textOf(propertyOf(error, 'code')));
}
