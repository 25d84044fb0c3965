/** Compares the owner of a task with the people whose data it touches. */
import type { TaskContext } from '../framework/context.ts';
import { Reject } from '../framework/errors.ts';

/** @param userIds external ids. @returns true also for a task without an owner, such as a sweep. */
export function mayTouch({ job }: Pick<TaskContext, 'job'>, userIds: readonly string[]): boolean {
  const owner = job.userId?.toLowerCase();
  return owner === undefined || userIds.every((id) => id.toLowerCase() === owner);
}

/** @throws {Reject} `TASK_PAYLOAD_INVALID` */
export function assertMayTouch(ctx: Pick<TaskContext, 'job'>, userIds: readonly string[]): void {
  if (mayTouch(ctx, userIds)) return;
  throw new Reject(
    'TASK_PAYLOAD_INVALID',
    'The payload names users other than the owner of the task.',
  );
}
