/** What is told to those who run a process. */
import type { Registry } from 'prom-client';
import type { ResolvedConfig } from '../../base/config.ts';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import type { Backlog } from './backlog.ts';

/** Something the server depends on. */
export interface Dependency {
  name: string;
  /** Whether the server is of no use without it. */
  needed: boolean;
  /** Resolves when the dependency answers. */
  check(): Promise<void>;
}

/** Whatever its role. */
export interface OperationsDependencies {
  config: ResolvedConfig;
  telemetry: Telemetry;
  metrics: Registry;
  readiness: readonly Dependency[];
  /** Whether a restart would mend it. Default: never. */
  isStuck?: (() => boolean) | undefined;
  /** What has been accepted and has not begun; undefined where nothing is accepted. */
  backlog?: Pick<Backlog, 'size' | 'isFull'> | undefined;
}
