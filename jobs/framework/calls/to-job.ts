/**
 * From accepted work to a job of the queue.
 */
import type { AcceptRequest } from '../../../db/tasks/request.ts';
import type { JobRequest } from '../../queue/index.ts';

/** @param work `delayMs` from now, or else `eta` by the clock here. */
export function toJob({
  id,
  name: task,
  queue,
  priority,
  payload,
  headers,
  eta,
  delayMs = Math.max(0, (eta?.getTime() ?? 0) - Date.now()),
  expiresMs: expiresInMs,
}: Pick<
  AcceptRequest,
  'id' | 'name' | 'queue' | 'priority' | 'payload' | 'headers' | 'eta' | 'delayMs' | 'expiresMs'
>): JobRequest {
  return { id, task, queue, priority, payload, headers, delayMs, expiresInMs };
}
