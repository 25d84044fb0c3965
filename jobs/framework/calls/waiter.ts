/**
 * Waits for tasks to end: Postgres says whether a durable task has, the queue whether any other has.
 */
import type { Queryable } from '../../../db/stores/postgres.ts';
import { findEnds } from '../../../db/tasks/rows.ts';
import { Inspector, Waiter, type Broker } from '../../queue/index.ts';

export class TaskWaiter extends Waiter {
  constructor(db: Queryable, broker: Broker, onError: (error: unknown) => void) {
    const inspector = new Inspector(broker);
    super(broker, {
      onError,
      async look(ids) {
        const durable = new Map(
          (await findEnds(db, ids)).map(({ id, finished }) => [id, finished]),
        );
        const others = ids.filter((id) => !durable.has(id));
        // Postgres knows the ends of durable tasks while Redis is unavailable.
        const transient = await inspector.settled(others).catch((error: unknown) => {
          onError(error);
          return [];
        });
        return [...ids.filter((id) => durable.get(id)), ...transient];
      },
    });
  }
}
