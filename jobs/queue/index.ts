/**
 * An embedded task queue, which needs Redis and no other service. `Broker` moves jobs, `Producer` adds them, `Runner` runs a
 * handler for each, `Consumer` delivers them to another executor, `Inspector` reads their state. keys.ts lists every key.
 */
export { Broker, type EnqueueWord } from './broker/broker.ts';
export type { QueueOptions } from './broker/options.ts';
export type { BroadcastOptions, WorkerAnswer } from './client/broadcast.ts';
export { Consumer, type ConsumerOptions } from './worker/consumer.ts';
export { QUEUE_ERRORS, QueueError, type QueueErrorCode } from './broker/errors.ts';
export { Control, type RevokeWord } from './client/control.ts';
export { drain } from './drain.ts';
export { EventTail, type EventTailOptions } from './client/events.ts';
export {
  Inspector,
  type JobState,
  type JobStatus,
  type Overview,
  type PageOf,
} from './client/inspector.ts';
export { isJobId, QUEUE_NAME } from './broker/keys.ts';
export type { Delivery, Loss } from './worker/lane.ts';
export type { Settlement } from './worker/settlements.ts';
export { AHEAD, Pace } from './worker/pace.ts';
export { Producer, type EnqueueOutcome } from './client/producer.ts';
export {
  MAX_DURATION_MS,
  MAX_HEADERS_LENGTH,
  MAX_PAYLOAD_BYTES,
  MAX_RESULT_BYTES,
  isLongerThan,
  type Job,
  type JobRequest,
  type Reason,
} from './broker/record.ts';
export type { Counts } from './broker/counts.ts';
export { Results } from './client/results.ts';
export { Runner, type RunnerOptions } from './worker/runner.ts';
export { Stall } from './worker/stall.ts';
export { Waiter } from './client/waiter.ts';
