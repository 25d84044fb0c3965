/** Forwards behaviour events from Postgres to ClickHouse, in any number of processes. */
import { Gauge, type Registry } from 'prom-client';
import { Loop } from '../base/service.ts';
import type { Telemetry } from '../base/telemetry/telemetry.ts';

/** Events per batch: ClickHouse works best with few large inserts. */
const BATCH = 5000;
/** Pause while the outbox is empty, in milliseconds. */
const IDLE_MS = 1000;
/** Cap of the outbox measurement. */
const MOST_COUNTED = 100_000;

export interface Outbox {
  /** @param most stops counting at this many. */
  measure(most: number): Promise<OutboxSize>;
  /** Sends the oldest events as one batch. @throws when the batch was not stored; it is sent again. */
  forward(limit: number): Promise<{ events: number; refused: number }>;
}

export interface OutboxSize {
  /** Unsent events, counted up to a bound. */
  events: number;
  /** Age of the oldest unsent event, in milliseconds. */
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
  gauge('daodao_unsent_events', 'Behaviour events not yet sent to ClickHouse.', () => size.events);
  gauge(
    'daodao_unsent_events_age_seconds',
    'Age of the oldest unsent event.',
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
