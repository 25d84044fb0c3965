/**
 * The embedded queue: typed work on Redis, with nothing else to run.
 *
 * `Broker` moves jobs, `Producer` adds them, `Runner` runs a handler for each, `Consumer` hands them to whatever runs them
 * otherwise, `Inspector` looks. keys.ts lists every key.
 */
export { Broker, type EnqueueWord, type QueueOptions } from './broker.ts';
export type { BroadcastOptions, WorkerAnswer } from './broadcast.ts';
export { Consumer, type ConsumerOptions } from './consumer.ts';
export { QUEUE_ERRORS, QueueError, type QueueErrorCode } from './errors.ts';
export { Control, type RevokeWord } from './control.ts';
export { EventTail, type EventTailOptions } from './events.ts';
export {
  Inspector,
  type JobState,
  type JobStatus,
  type Overview,
  type PageOf,
} from './inspector.ts';
export { isJobId, QUEUE_NAME } from './keys.ts';
export type { Delivery, Loss } from './lane.ts';
export type { Outcome } from './settlements.ts';
export { AHEAD, Pace } from './pace.ts';
export { Producer, type EnqueueOutcome } from './producer.ts';
export {
  MAX_DURATION_MS,
  MAX_HEADERS_LENGTH,
  MAX_PAYLOAD_BYTES,
  MAX_RESULT_BYTES,
  isLongerThan,
  type Counts,
  type Job,
  type JobRequest,
  type Reason,
} from './record.ts';
export { Results } from './results.ts';
export { Runner, type RunnerOptions } from './runner.ts';
export { Stall } from './stall.ts';
