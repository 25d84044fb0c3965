/**
 * Sends a command to workers and collects their answers: a script puts it into their inboxes, and a dedicated connection
 * blocks on the list of answers. The caller never waits longer than its timeout.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from '../broker/broker.ts';
import { LONGEST_TIMER_MS } from '../../../base/service.ts';
import { BLOCK_SECONDS, type Client } from '../../../base/redis/connection.ts';
import { QueueError } from '../broker/errors.ts';
import { assertDuration, isLongerThan } from '../broker/record.ts';

export interface BroadcastOptions {
  timeoutMs: number;
  /** Ids of the workers to ask. Default: all. */
  workers?: readonly string[] | undefined;
}

export type WorkerAnswer = { worker: string } & (
  | { kind: 'answered'; answer: unknown }
  | { kind: 'refused'; error: string }
  | { kind: 'silent' }
  /** No worker with this id is registered. */
  | { kind: 'unknown' }
);

/** Sent to a worker as JSON. */
export interface Command {
  id: string;
  verb: string;
  args: unknown;
}

/** Sent back as JSON, after the worker's id and a newline. */
export type Reply = { answer: unknown } | { error: string };

const MAX_COMMAND_BYTES = 16 * 1024;
const MAX_REPLIES = 16;
const RETRY_MS = 50;

/** @throws {QueueError} `COMMAND_INVALID`, `JOB_OPTION_INVALID` for a timeout, `REDIS_UNAVAILABLE` */
export async function broadcast(
  broker: Broker,
  verb: string,
  args: unknown,
  { timeoutMs, workers }: BroadcastOptions,
): Promise<WorkerAnswer[]> {
  if (workers?.length === 0) return [];
  const named = [...new Set(workers)];
  const id = randomUUID();
  const command = encodeCommand({ id, verb, args });
  assertDuration('A timeout', timeoutMs);
  const redis = broker.connect(`replies:${id}`, { blocking: true });
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), Math.min(timeoutMs, LONGEST_TIMER_MS));
  // Closing the connection ends the blocking read.
  over.signal.addEventListener('abort', () => redis.disconnect());
  try {
    const sent = broker.run<string[]>('command', 0, [id, command, ...named], timeoutMs);
    const told = await before(over.signal, sent);
    const replies = await collect(redis, broker.key(0, `reply:${id}`), told, over.signal);
    return (named.length === 0 ? told : named).map((worker) => answerOf(worker, told, replies));
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}

/** @throws {QueueError} `COMMAND_INVALID` */
function encodeCommand(command: Command): string {
  let text: string;
  try {
    text = JSON.stringify(command);
  } catch (error) {
    throw new QueueError('COMMAND_INVALID', undefined, { cause: error });
  }
  if (typeof command.verb === 'string' && !isLongerThan(text, MAX_COMMAND_BYTES)) return text;
  throw new QueueError('COMMAND_INVALID');
}

/** @throws {QueueError} `REDIS_UNAVAILABLE` on timeout */
async function before<T>(over: AbortSignal, work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    over.addEventListener('abort', () => reject(new QueueError('REDIS_UNAVAILABLE')));
  });
  return Promise.race([work, late]);
}

/** Reads the first reply of each worker until every worker has answered or the time is over. */
async function collect(
  redis: Client,
  key: string,
  told: readonly string[],
  over: AbortSignal,
): Promise<Map<string, Reply>> {
  const replies = new Map<string, Reply>();
  while (replies.size < told.length && !over.aborted) {
    const found = await redis
      .blmpop(BLOCK_SECONDS, 1, key, 'LEFT', 'COUNT', MAX_REPLIES)
      .catch(() => undefined);
    if (found === undefined && !over.aborted) await sleep(RETRY_MS);
    for (const text of found?.[1] ?? []) {
      const newline = text.indexOf('\n');
      const worker = text.slice(0, newline);
      if (!replies.has(worker)) replies.set(worker, decodeReply(text.slice(newline + 1)));
    }
  }
  return replies;
}

/** One unreadable answer must not hide those of the other workers. */
function decodeReply(text: string): Reply {
  try {
    const reply: unknown = JSON.parse(text);
    if (typeof reply === 'object' && reply !== null) return reply as Reply;
  } catch {
    // Told below.
  }
  return { error: 'The answer of this worker cannot be read.' };
}

function answerOf(
  worker: string,
  told: readonly string[],
  replies: ReadonlyMap<string, Reply>,
): WorkerAnswer {
  const reply = replies.get(worker);
  if (reply === undefined) return { worker, kind: told.includes(worker) ? 'silent' : 'unknown' };
  return 'error' in reply
    ? { worker, kind: 'refused', error: reply.error }
    : { worker, kind: 'answered', answer: reply.answer };
}
