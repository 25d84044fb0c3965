/** Turns a signature into a validated request, before anything is written. */
import { randomUUID } from 'node:crypto';
import type { TSchema } from 'typebox';
import type { AcceptRequest } from '../../../db/tasks/request.ts';
import { didYouMean } from '../../../base/options/closest.ts';
import { AppError } from '../../../base/errors.ts';
import { isStorableJson } from '../../../base/options/storable.ts';
import { problemsOfCall } from '../options.ts';
import { isLongerThan, MAX_PAYLOAD_BYTES } from '../../queue/index.ts';
import { fits, withoutPrevious } from '../schema.ts';
import type { Signature, Step } from '../signature.ts';
import type { Tasks } from '../tasks.ts';

export interface Known {
  tasks: Tasks;
  /** Queues that workers serve in addition to those named by tasks. */
  queues: readonly string[];
}

/** @throws {AppError} `TASK_UNKNOWN`, `TASK_OPTION_INVALID`, `QUEUE_UNKNOWN`, `TASK_PAYLOAD_INVALID`, `TASK_PAYLOAD_TOO_LARGE` */
export function readCall(signature: Signature | Step, { tasks, queues }: Known): AcceptRequest {
  const { task, payload, options } = signature;
  if (tasks.find(task.name) === undefined) throw new AppError('TASK_UNKNOWN');
  const problems = problemsOfCall(options, task.durable);
  if (problems.length > 0) {
    throw new AppError('TASK_OPTION_INVALID', { message: problems.join(' ') });
  }
  const { id, countdownMs, priority = task.priority, queue = task.queue, ...rest } = options;
  if (!tasks.queues.has(queue) && !queues.includes(queue)) {
    const hint = didYouMean(queue, [...tasks.queues, ...queues]);
    const message = `No worker serves a queue "${queue}".${hint}`;
    throw new AppError('QUEUE_UNKNOWN', { message });
  }
  return {
    ...rest,
    id: id ?? randomUUID(),
    isChosenId: id !== undefined,
    name: task.name,
    queue,
    priority,
    delayMs: countdownMs,
    payload: encodePayload(
      'takesPrevious' in signature ? withoutPrevious(task.payload) : task.payload,
      payload,
    ),
  };
}

function encodePayload(schema: TSchema, payload: unknown): string {
  let text: string | undefined;
  try {
    text = fits(schema, payload) ? JSON.stringify(payload) : undefined;
  } catch (cause) {
    // The payload has a cycle, or a value such as a BigInt.
    throw new AppError('TASK_PAYLOAD_INVALID', { cause });
  }
  if (text === undefined) throw new AppError('TASK_PAYLOAD_INVALID');
  if (!isStorableJson(text)) {
    const message = 'A text of the payload has a NUL character or an unpaired surrogate.';
    throw new AppError('TASK_PAYLOAD_INVALID', { message });
  }
  if (isLongerThan(text, MAX_PAYLOAD_BYTES)) throw new AppError('TASK_PAYLOAD_TOO_LARGE');
  return text;
}
