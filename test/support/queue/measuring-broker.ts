/**
 * A broker that measures what Redis answers: of each script, and of the reads of the inboxes.
 */
import type { Redis } from 'ioredis';
import { Broker } from '../../../jobs/queue/index.ts';
import type { Client } from '../../../base/redis/connection.ts';
import type { TestQueue } from './scripts.ts';

export interface Answer {
  /** A script, or `inbox`. */
  to: string;
  bytes: number;
}

export class MeasuringBroker extends Broker {
  readonly answers: Answer[] = [];

  override async run<T>(...call: Parameters<Broker['run']>): Promise<T> {
    const reply = await super.run<T>(...call);
    this.answers.push({ to: call[0], bytes: bytesOf(reply) });
    return reply;
  }

  /** The inbox is read on a connection of its own. */
  override connect(name: string, options: { blocking?: boolean } = {}): Client {
    const client = super.connect(name, options);
    if (options.blocking !== true) return client;
    const read = client.blmpop.bind(client) as (...args: unknown[]) => Promise<unknown>;
    const measured = async (...args: unknown[]): Promise<unknown> => {
      const reply = await read(...args);
      this.answers.push({ to: 'inbox', bytes: bytesOf(reply) });
      return reply;
    };
    client.blmpop = measured as Redis['blmpop'];
    return client;
  }

  /** Bytes of the largest answer so far. */
  get largest(): number {
    return Math.max(0, ...this.answers.map(({ bytes }) => bytes));
  }
}

function bytesOf(reply: unknown): number {
  if (Array.isArray(reply)) return reply.reduce<number>((sum, item) => sum + bytesOf(item), 0);
  return typeof reply === 'string' ? Buffer.byteLength(reply) : 0;
}

/** Closed with the test, like the others of this queue. */
export function measuringBroker(queue: TestQueue): MeasuringBroker {
  const broker = new MeasuringBroker({ ...queue.broker.options });
  queue.atEnd(async () => broker.close());
  return broker;
}
