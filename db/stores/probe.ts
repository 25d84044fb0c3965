/**
 * What the probes of the stores share.
 */

/** For drivers with a timer of their own, in milliseconds: longer than anybody waits for a probe. */
export const DRIVER_TIMEOUT_MS = 5500;

/** @returns the body. */
export async function fetchOk(url: URL, init: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const body = await response.text();
  if (response.ok) return body;
  const isRefused = response.status === 401 || response.status === 403;
  const meaning = isRefused ? ' (the credentials are refused)' : '';
  throw new Error(`HTTP ${response.status}${meaning}: ${body.slice(0, 200).trim()}`);
}

/** A part of a URL as it was meant; as it stands if it has a stray percent sign. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
