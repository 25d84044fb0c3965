/**
 * Brings behaviour events from Postgres to ClickHouse. Any number of processes may do so.
 */
import { Gauge, type Registry } from 'prom-client';
import { Loop } from '../base/service.ts';
import type { Telemetry } from '../base/telemetry/telemetry.ts';

/** Events of one batch: ClickHouse likes few large inserts. */
const BATCH = 5000;
/** Pause when nothing waits, in milliseconds. */
const IDLE_MS = 1000;
/** More unsent events than this are not counted. */
const MOST_COUNTED = 100_000;

/** Events that wait to be sent. */
export interface Outbox {
  /** @param most what more are counted as. */
  measure(most: number): Promise<OutboxSize>;
  /** Sends the oldest ones as one batch. @throws when they were not taken: they are sent again. */
  forward(limit: number): Promise<{ events: number; refused: number }>;
}

export interface OutboxSize {
  /** Events to be sent, counted up to a bound. */
  events: number;
  /** How long the oldest of them has waited, in milliseconds. */
  ageMs: number;
}

export interface ForwarderDependencies {
  outbox: Outbox;
  telemetry: Telemetry;
  metrics: Registry;
}

export function createEventForwarder(deps: ForwarderDependencies): Loop {
  const { outbox, telemetry, metrics } = deps;
  let size: OutboxSize = { events: 0, ageMs: 0 };
  const gauge = (name: string, help: string, read: () => number): void => {
    const collect = (): void => made.set(read());
    const made = new Gauge({ name, help, registers: [metrics], collect });
  };
  gauge('daodao_unsent_events', 'Behaviour events that ClickHouse has not got.', () => size.events);
  gauge(
    'daodao_unsent_events_age_seconds',
    'How long the oldest of them has waited.',
    () => size.ageMs / 1000,
  );
  return new Loop({
    name: 'event forwarder',
    onError: (error) => telemetry.emit('loop.failed', { loop: 'event forwarder', error }),
    async tick() {
      size = await outbox.measure(MOST_COUNTED);
      if (size.events === 0) return IDLE_MS;
      const { events, refused } = await outbox.forward(BATCH);
      if (events > 0) telemetry.emit('events.forwarded', { events });
      if (refused > 0) telemetry.emit('events.refused', { events: refused });
      return events === BATCH ? 0 : IDLE_MS;
    },
  });
}
