/** HTTP services of a process. They load the routes on start, as a process without HTTP needs none. */
import type { ApiDependencies } from './context.ts';
import { HttpService } from './http/service.ts';
import type { OperationsDependencies } from './operations/dependencies.ts';

export function apiService(deps: ApiDependencies): HttpService {
  const { host, port, shutdownGraceMs: graceMs } = deps.config;
  return new HttpService({ host, port, setting: 'PORT', graceMs }, async () =>
    (await import('./index.ts')).buildApi(deps),
  );
}

/** For a process without the API. */
export function operationsService(deps: OperationsDependencies, port: number): HttpService {
  const { host, shutdownGraceMs: graceMs } = deps.config;
  const listening = { host, port, setting: 'OPERATIONS_PORT', graceMs } as const;
  return new HttpService(listening, async () => (await import('./index.ts')).buildOperations(deps));
}
