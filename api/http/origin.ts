/**
 * Protects users who are authenticated by cookie: DaoDao's is `SameSite=None`, so that a browser sends it with requests that any site
 * makes it send.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../base/errors.ts';

/** Change nothing. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A page cannot write either header.
 * @throws {AppError} `ORIGIN_FORBIDDEN` when a request that changes something comes from elsewhere.
 */
export function assertAllowedOrigin(
  { method, headers }: { method: string; headers: IncomingHttpHeaders },
  allowed: readonly string[],
): void {
  if (SAFE_METHODS.has(method)) return;
  const { origin } = headers;
  const isAllowed =
    origin === undefined ? headers['sec-fetch-site'] === 'same-origin' : allowed.includes(origin);
  if (!isAllowed) throw new AppError('ORIGIN_FORBIDDEN');
}
