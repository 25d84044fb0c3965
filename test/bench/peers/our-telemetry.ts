/**
 * What every process of the application has: a log at the default level.
 */
import { pino } from 'pino';
import { logEvents, Telemetry, type EventName } from '../../../base/telemetry/telemetry.ts';
import type { Tally } from './tally.ts';

const FAILURES: ReadonlySet<EventName> = new Set([
  'job.failed',
  'task.dispatch_deferred',
  'thread.died',
  'loop.failed',
  'http.error',
]);

export function ourTelemetry(): Telemetry {
  const telemetry = new Telemetry();
  logEvents(telemetry, 'info', pino.destination('/dev/null'));
  return telemetry;
}

/** Counts the jobs that succeed. What must not happen in a measurement fails the tally. */
export function tallyJobs(telemetry: Telemetry, tally: Tally): void {
  telemetry.on((event, fields) => {
    if (event === 'job.succeeded') tally.add();
    else if (FAILURES.has(event)) tally.fail(new Error(`${event}: ${JSON.stringify(fields)}`));
  });
}
