/** Follows the stream of ended jobs with one blocking read per shard, each on a dedicated connection. */
import { Loop, type Service } from '../../../base/service.ts';
import { guard } from '../../../base/telemetry/guard.ts';
import type { Broker } from '../broker/broker.ts';
import { BLOCK_SECONDS, send, type Client } from '../../../base/redis/connection.ts';
import { classify } from '../broker/errors.ts';

/** Pause between two reads while no event is awaited, in milliseconds. */
const IDLE_MS = 100;

export interface EventTailOptions {
  /** Receives ids of ended jobs. Entries from while Redis was unavailable, or that the stream has dropped, may be missed. */
  ended(ids: string[]): void;
  /** Receives the same ids, one call per outcome: `succeeded`, `failed`, `revoked`. */
  endedAs?(state: string, ids: string[]): void;
  failed(error: unknown): void;
  /** Whether no event is awaited: reads then pause, until `wake`. Default: events are always awaited. */
  isIdle?(): boolean;
}

type Entries = [id: string, fields: string[]][];

export class EventTail implements Service {
  readonly name = 'event tail';
  readonly #readers: { redis: Client; loop: Loop }[];

  constructor(broker: Broker, { ended, endedAs, failed, isIdle }: EventTailOptions) {
    this.#readers = Array.from({ length: broker.shards }, (_, shard) => {
      const redis = broker.connect('events', { blocking: true });
      const key = broker.key(shard, 'events');
      let last: string | undefined;
      const tick = async (signal: AbortSignal): Promise<number> => {
        try {
          last ??= await newestEntry(redis, key);
          const from = last;
          const reply = await send<[string, Entries][] | null>(redis, () =>
            redis.xread('BLOCK', BLOCK_SECONDS * 1000, 'STREAMS', key, from),
          );
          const entries = reply?.[0]?.[1] ?? [];
          last = entries.at(-1)?.[0] ?? last;
          const ids = entries.flatMap(([, fields]) => endedIds(fields));
          if (ids.length > 0) guard(() => ended(ids), failed);
          if (endedAs !== undefined) {
            tellEach(entries, (state, some) => guard(() => endedAs(state, some), failed));
          }
          return isIdle?.() === true ? IDLE_MS : 0;
        } catch (error) {
          if (signal.aborted) return 0;
          throw classify(error);
        }
      };
      return {
        redis,
        loop: new Loop({ name: 'event tail', tick, onError: failed, maxErrorDelayMs: 1000 }),
      };
    });
  }

  async start(): Promise<void> {
    for (const { loop } of this.#readers) await loop.start();
  }

  /** Reads at once, as an event is awaited from now on. */
  wake(): void {
    for (const { loop } of this.#readers) loop.wake();
  }

  async stop(): Promise<void> {
    for (const { redis, loop } of this.#readers) {
      const stopped = loop.stop();
      redis.disconnect();
      await stopped;
    }
  }
}

/** Fields come in pairs: outcome, comma-separated ids. */
function endedIds(fields: readonly string[]): string[] {
  return fields.flatMap((ids, index) => (index % 2 === 1 && ids !== '' ? ids.split(',') : []));
}

function tellEach(entries: Entries, endedAs: (state: string, ids: string[]) => void): void {
  for (const [, fields] of entries) {
    for (let i = 0; i < fields.length; i += 2) endedAs(fields[i]!, fields[i + 1]!.split(','));
  }
}

/** The entry to read after. `$` in every read would miss entries added between two reads. */
async function newestEntry(redis: Client, key: string): Promise<string> {
  const [entry] = await send<Entries>(redis, () => redis.xrevrange(key, '+', '-', 'COUNT', 1));
  return entry?.[0] ?? '0-0';
}
