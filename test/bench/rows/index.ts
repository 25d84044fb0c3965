/** Every row, in the order of the table. */
import type { Row } from '../bench.ts';
import { add, addAwaited, addBulk } from './add.ts';
import { celery } from './celery.ts';
import { cpu, memory } from './cost.ts';
import { depth } from './depth.ts';
import { drain1, drain50 } from './drain.ts';
import { endToEnd, endToEndAof } from './end-to-end.ts';
import { delayed, delayedMillion } from './delayed.ts';
import { durableAccept } from './durable/accept.ts';
import { celeryChord, chord, fanOut } from './durable/chord.ts';
import { durableCalls, durableMany } from './durable/calls.ts';
import { durableLatency } from './durable/latency.ts';
import { httpCards } from './http/cards.ts';
import { httpFeedback } from './http/feedback.ts';
import { httpPoll } from './http/poll.ts';
import { latency50, latency500 } from './latency.ts';
import { threadsBare, threadsTask } from './threads.ts';

export const ROWS: readonly Row[] = [
  drain50,
  drain1,
  add,
  addBulk,
  addAwaited,
  endToEnd,
  endToEndAof,
  threadsBare,
  threadsTask,
  latency50,
  latency500,
  delayed,
  delayedMillion,
  memory,
  cpu,
  depth,
  celery,
  durableAccept,
  durableCalls,
  durableMany,
  durableLatency,
  chord,
  fanOut,
  celeryChord,
  httpPoll,
  httpFeedback,
  httpCards,
];

/** The rows that tell most in little time. */
export const QUICK_ROWS: readonly Row[] = [drain50, drain1, add, endToEnd, latency500];
