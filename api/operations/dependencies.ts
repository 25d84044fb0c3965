/** Dependencies of the routes for operators. */
import type { Registry } from 'prom-client';
import type { ResolvedConfig } from '../../base/config.ts';
import type { Telemetry } from '../../base/telemetry/telemetry.ts';
import type { Backlog } from './backlog.ts';

export interface Dependency {
  name: string;
  /** Whether the process is unusable without it. */
  needed: boolean;
  /** Rejects when it is unavailable. */
  check(): Promise<void>;
}

/** The same for every role. */
export interface OperationsDependencies {
  config: ResolvedConfig;
  telemetry: Telemetry;
  metrics: Registry;
  readiness: readonly Dependency[];
  /** Whether only a restart helps. Default: never. */
  isStuck?: (() => boolean) | undefined;
  /** Undefined where the process accepts no tasks. */
  backlog?: Pick<Backlog, 'size' | 'isFull'> | undefined;
}
