/** Blocks on a worker's inbox on a dedicated connection. Scripts put jobs, due times, revokes and commands there. */
import { Loop, type Service } from '../../../base/service.ts';
import type { Broker } from '../broker/broker.ts';
import type { Leased } from '../broker/step.ts';
import { BLOCK_SECONDS, send, type Client } from '../../../base/redis/connection.ts';
import { classify } from '../broker/errors.ts';
import type { Lane } from './lane.ts';

const MAX_MESSAGES = 100;
const RESYNC_RETRY_MS = 200;
/** How long the server may keep a read whose connection broke at the client. A message popped for that read is lost. */
const GHOST_MS = BLOCK_SECONDS * 1000 + 500;

export interface InboxEvents {
  /** @param command one line of JSON. */
  commanded(command: string): void;
  failed(error: unknown): void;
}

export class Inbox implements Service {
  readonly name = 'inbox';
  readonly #redis: Client;
  readonly #lane: Lane;
  readonly #key: string;
  readonly #commanded: (command: string) => void;
  readonly #loop: Loop;
  #ghostUntilMs = Infinity;
  #heardMs = performance.now();

  constructor(broker: Broker, lane: Lane, worker: string, { commanded, failed }: InboxEvents) {
    this.#redis = broker.connect(`inbox:${worker}`, { blocking: true });
    this.#lane = lane;
    this.#commanded = commanded;
    this.#key = broker.key(lane.shard, `inbox:${worker}`);
    this.#loop = new Loop({
      name: 'inbox',
      tick: (signal) => this.#read(signal),
      onError: failed,
      maxErrorDelayMs: 1000,
    });
  }

  async start(): Promise<void> {
    await this.#loop.start();
  }

  async stop(): Promise<void> {
    const stopped = this.#loop.stop();
    this.#redis.disconnect();
    await stopped;
  }

  /** Time since a read was answered; some two seconds at most in normal operation. */
  get silentMs(): number {
    return performance.now() - this.#heardMs;
  }

  async #read(signal: AbortSignal): Promise<number> {
    if (performance.now() > this.#ghostUntilMs) {
      this.#ghostUntilMs = Infinity;
      this.#lane.doubt();
    }
    if (this.#lane.isInDoubt && !(await this.#lane.resync())) return RESYNC_RETRY_MS;
    try {
      const reply = await send<[string, string[]] | null>(this.#redis, () =>
        this.#redis.blmpop(BLOCK_SECONDS, 1, this.#key, 'LEFT', 'COUNT', MAX_MESSAGES),
      );
      this.#heardMs = performance.now();
      if (reply !== null) this.#take(reply[1]);
      return 0;
    } catch (error) {
      if (signal.aborted) return 0;
      this.#ghostUntilMs = performance.now() + GHOST_MS;
      this.#lane.doubt();
      throw classify(error);
    }
  }

  #take(messages: readonly string[]): void {
    const leased = new Map<string, Leased>();
    const revoked = new Set<string>();
    for (const message of messages) {
      const rest = message.slice(1);
      if (message.startsWith('j')) {
        leased.set(message.slice(1, 37), parseJob(message));
      } else if (message.startsWith('t')) {
        this.#lane.alarm.wakeAt(Number(rest));
      } else if (message.startsWith('r')) {
        revoked.add(rest);
        // The job may have been handed over and revoked between two reads.
        leased.delete(rest);
      } else if (message.startsWith('m')) {
        this.#commanded(rest);
      } else if (message === 'c') {
        this.#lane.round();
      }
    }
    this.#lane.drop([...revoked], 'revoked');
    this.#lane.receive([...leased.values()]);
    if (revoked.size > 0) this.#lane.round();
  }
}

/** @param message `j`, id, counts, newline, record. */
function parseJob(message: string): Leased {
  const newline = message.indexOf('\n');
  return {
    id: message.slice(1, 37),
    counts: message.slice(37, newline),
    record: message.slice(newline + 1),
  };
}
