/** Helpers for store probes. */

/** For drivers with their own timer, in milliseconds: longer than any caller waits for a probe. */
export const DRIVER_TIMEOUT_MS = 5500;

/** @returns the body. @throws unless the status is 2xx. */
export async function fetchOk(url: URL, init: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const body = await response.text();
  if (response.ok) return body;
  const isRefused = response.status === 401 || response.status === 403;
  const meaning = isRefused ? ' (the credentials are refused)' : '';
  throw new Error(`HTTP ${response.status}${meaning}: ${body.slice(0, 200).trim()}`);
}

/** Decodes a part of a URL; returns it unchanged if it has a stray percent sign. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
