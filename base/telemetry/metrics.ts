/** Metrics of a process, counted from its events. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EventName, Events, Telemetry } from './telemetry.ts';

/** One registry per process. */
export function countEvents(telemetry: Telemetry): Registry {
  const registry = new Registry();
  const registers = [registry];
  // Collected on scrape: incrementing a labelled counter costs a short job 5 % of its time.
  const counts = new Map<EventName, number>();
  new Counter({
    name: 'daodao_events_total',
    help: 'Events, by name.',
    labelNames: ['event'],
    registers,
    collect() {
      this.reset();
      for (const [event, count] of counts) this.inc({ event }, count);
    },
  });
  const jobSeconds = new Histogram({
    name: 'daodao_job_duration_seconds',
    help: 'Run time of the handlers of succeeded jobs, by task.',
    labelNames: ['task'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 30, 120],
    registers,
  });
  const latenessSeconds = new Histogram({
    name: 'daodao_schedule_lateness_seconds',
    help: 'Delay between the due time of a slot and its firing, by schedule.',
    labelNames: ['schedule'],
    buckets: [0.01, 0.05, 0.2, 1, 5, 60, 600, 3600],
    registers,
  });
  const httpSeconds = new Histogram({
    name: 'daodao_http_duration_seconds',
    help: 'Time to answer, by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.2, 1, 5, 30],
    registers,
  });
  new Gauge({
    name: 'daodao_resident_bytes',
    help: 'Resident memory of this process.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  telemetry.on((event, fields) => {
    counts.set(event, (counts.get(event) ?? 0) + 1);
    if (event === 'job.succeeded') {
      const { task, durationMs } = fields as Events['job.succeeded'];
      jobSeconds.observe({ task }, durationMs / 1000);
    } else if (event === 'schedule.fired') {
      const { schedule, latenessMs } = fields as Events['schedule.fired'];
      latenessSeconds.observe({ schedule }, latenessMs / 1000);
    } else if (event === 'http.request') {
      const { route, method, status, durationMs } = fields as Events['http.request'];
      httpSeconds.observe({ route, method, status }, durationMs / 1000);
    }
  });
  return registry;
}
