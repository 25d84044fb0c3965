/**
 * What is known of every store: its file has one of these, and `stores.ts` lists them.
 */
import type { ResolvedConfig } from '../../base/config.ts';

export interface Store {
  /** Name of the embedded engine that stands in for it. */
  engine: string;
  /** As people call it. */
  title: string;
  /** The setting with its URL. */
  variable: string;
  urlOf(config: ResolvedConfig): string;
  /** Where a URL without a port leads. */
  defaultPort(url: URL): string;
  /** What must never be shown, beside the password in the URL. */
  secretsOf?(config: ResolvedConfig): readonly (string | undefined)[];
  /** Whether an error of its client means that the store is unavailable or busy, so that the same call may succeed later. */
  isUnavailable(error: unknown): boolean;
  /** Finds out whether it is the right one. @throws an error whose message, or innermost cause, is the reason why it is not. */
  probe(config: ResolvedConfig, signal: AbortSignal): Promise<void>;
}
