/**
 * What the server is given, and what it gives its routes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Registry } from 'prom-client';
import type { ResolvedConfig } from '../base/config.ts';
import type { Queryable } from '../db/stores/postgres.ts';
import type { ScheduleBook } from '../jobs/framework/beat/book.ts';
import type { TaskClient } from '../jobs/framework/calls/client.ts';
import type { VersionedCache } from '../jobs/resources.ts';
import type { Telemetry } from '../base/telemetry/telemetry.ts';
import type { Backlog } from './operations/backlog.ts';
import type { Readers } from './feedback/readers.ts';
import type { TypeBoxProvider } from './http/validation.ts';

/** Something the server depends on. */
export interface Dependency {
  name: string;
  /** Whether the server is of no use without it. */
  needed: boolean;
  /** Resolves when the dependency answers. */
  check(): Promise<void>;
}

/** What is told to those who run a process, whatever its role. */
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

export interface ApiDependencies extends OperationsDependencies {
  db: Queryable;
  tasks: Pick<TaskClient, 'applyAsync' | 'find' | 'waitUntilFinished' | 'revoke'>;
  schedules: Pick<ScheduleBook, 'changes' | 'edit' | 'find' | 'list' | 'run'>;
  cache: VersionedCache;
  backlog: Pick<Backlog, 'size' | 'isFull' | 'assertRoom'>;
  /** What routes read from Postgres. Default: queries on `db`. */
  readers?: Readers;
}

export interface RouteContext extends Omit<ApiDependencies, 'readers'> {
  readers: Readers;
  /** Aborted when the server begins to close, so that nobody waits for the end of a long-poll. */
  closing: AbortSignal;
}

/** The application as routes see it: handlers typed by their schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxProvider
>;
