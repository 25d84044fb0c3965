/** Assembles the routes of a process. */
import type { FastifyInstance } from 'fastify';
import type { ApiDependencies, RouteContext } from './context.ts';
import { eventRoutes } from './events/routes.ts';
import { postgresReaders } from './feedback/readers.ts';
import { batchFeedbackRoutes } from './feedback/batch-routes.ts';
import { feedbackRoutes } from './feedback/routes.ts';
import type { Api } from './http/api.ts';
import { serveInEnvelope } from './http/envelope.ts';
import type { Access } from './http/openapi.ts';
import { buildServer } from './http/server.ts';
import { internalRoutes } from './internal/routes.ts';
import { REQUESTS_PER_ACCOUNT } from './limits.ts';
import type { OperationsDependencies } from './operations/dependencies.ts';
import { operationsRoutes } from './operations/routes.ts';
import { embeddingRoutes } from './recommendations/embeddings.ts';
import { orderReader } from './recommendations/order.ts';
import { recommendationRoutes } from './recommendations/routes.ts';
import { topicCardRoutes } from './recommendations/topic-cards.ts';
import { scheduleRoutes } from './schedules/routes.ts';
import { groupRoutes } from './tasks/group-routes.ts';
import { taskRoutes } from './tasks/routes.ts';

const PUBLIC: Access = { public: true };

export async function buildApi(deps: ApiDependencies): Promise<FastifyInstance> {
  const readers = deps.readers ?? postgresReaders(deps.reader);
  const access: Access = deps.config.operationsAccess === 'admin' ? { admin: true } : PUBLIC;
  return buildServer(
    { ...deps, access, requestsPerAccount: REQUESTS_PER_ACCOUNT },
    (app, closing) => {
      operationsRoutes(app, deps, access);
      const context: RouteContext = { ...deps, readers, readOrder: orderReader(deps), closing };
      const addRoutes = (to: Api): void => {
        feedbackRoutes(to, context);
        batchFeedbackRoutes(to, context);
        taskRoutes(to, context);
        groupRoutes(to, context);
        embeddingRoutes(to, context);
        recommendationRoutes(to, context);
        eventRoutes(to, context);
        scheduleRoutes(to, context.schedules);
      };
      addRoutes(app);
      internalRoutes(app, context);
      serveInEnvelope(app, context.telemetry, (v1) => {
        addRoutes(v1);
        topicCardRoutes(v1, context);
      });
    },
  );
}

/** For a process without the API: its port is for operators alone. */
export async function buildOperations(deps: OperationsDependencies): Promise<FastifyInstance> {
  return buildServer({ ...deps, access: PUBLIC, requestsPerAccount: REQUESTS_PER_ACCOUNT }, (app) =>
    operationsRoutes(app, deps, PUBLIC),
  );
}
