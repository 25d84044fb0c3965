/** Dependencies of the API, and the context of its routes. */
import type { Queryable } from '../db/stores/postgres.ts';
import type { ScheduleBook } from '../jobs/framework/beat/book.ts';
import type { TaskClient } from '../jobs/framework/calls/client.ts';
import type { Accepted } from '../db/tasks/request.ts';
import type { AcceptedGraph } from '../db/tasks/graphs/request.ts';
import type { Composite } from '../jobs/framework/canvas/composition.ts';
import type { GraphOptions } from '../jobs/framework/canvas/to-request.ts';
import type { Signature } from '../jobs/framework/signature.ts';
import type { VersionedCache } from '../jobs/resources.ts';
import type { Readers } from './feedback/readers.ts';
import type { Limits } from './limits.ts';
import type { Backlog } from './operations/backlog.ts';
import type { OperationsDependencies } from './operations/dependencies.ts';
import type { ReadOrder } from './recommendations/order.ts';

export interface ApiDependencies extends OperationsDependencies {
  db: Queryable;
  /** For short reads, whose plans do not depend on their parameters. */
  reader: Queryable;
  tasks: Pick<TaskClient, 'find' | 'graphs' | 'waitUntilFinished' | 'revoke'> & {
    enqueue(signature: Signature): Promise<Accepted>;
    enqueue(composite: Composite, options: GraphOptions): Promise<AcceptedGraph>;
  };
  schedules: Pick<ScheduleBook, 'changes' | 'edit' | 'find' | 'list' | 'run'>;
  cache: VersionedCache;
  backlog: Pick<Backlog, 'size' | 'isFull' | 'assertRoom'>;
  limits: Pick<Limits, 'eventsPerPerson' | 'assertRoomForEvents'>;
  /** Default: queries on `reader`. */
  readers?: Readers;
}

export interface RouteContext extends Omit<ApiDependencies, 'readers'> {
  readers: Readers;
  readOrder: ReadOrder;
  /** Aborted when the server starts to close, which ends long-polls. */
  closing: AbortSignal;
}
