/** The interface of a store. `stores.ts` lists the implementations. */
import type { ResolvedConfig } from '../../base/config.ts';

export interface Store {
  /** Name of the embedded engine that stands in for it. */
  engine: string;
  /** Display name. */
  title: string;
  /** The setting that holds its URL. */
  variable: string;
  urlOf(config: ResolvedConfig): string;
  /** Port of a URL without one. */
  defaultPort(url: URL): string;
  /** Secrets to redact, besides the password in the URL. */
  secretsOf?(config: ResolvedConfig): readonly (string | undefined)[];
  /** Whether a client error means that the store is unavailable or busy, so that the same call may succeed later. */
  isUnavailable(error: unknown): boolean;
  /** Checks that the store answers and is the right one. @throws with the reason in the message of the innermost cause. */
  probe(config: ResolvedConfig, signal: AbortSignal): Promise<void>;
}
