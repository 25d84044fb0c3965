/** Builds the queue's job for an accepted request. */
import type { AcceptRequest } from '../../../db/tasks/request.ts';
import type { JobRequest } from '../../queue/index.ts';

/** @param work its `delayMs` takes precedence over `eta`, which is compared with this process's clock. */
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
