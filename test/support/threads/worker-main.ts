/**
 * A process of the application like `main.ts`, on stores that are there, whose threads know the tasks of tests too.
 */
import { appendFileSync } from 'node:fs';
import { startApp, type App } from '../../../app.ts';
import { loadConfig } from '../../../base/config.ts';
import { resolveConfig } from '../../../db/embedded/engines.ts';
import { Broker } from '../../../jobs/queue/index.ts';
import { Shutdown } from '../../../base/shutdown.ts';
import { logEvents, Telemetry } from '../../../base/telemetry/telemetry.ts';
import type { ShutdownKind } from '../../../workers/main/commands.ts';
import { schedulesOfStorms } from './storm-tasks.ts';
import { TASKS_OF_TESTS } from './test-tasks.ts';

/** How many schedules of storms it keeps, instead of those of the application. */
const count = process.env['STORM_SCHEDULES'];
const schedules = count === undefined ? undefined : schedulesOfStorms(Number(count));

/** Takes a line before a job counts as running alone, so that a storm knows whose death it may have caused. */
const marks = process.env['MARKS_FILE'];
if (marks !== undefined) {
  // oxlint-disable-next-line typescript/unbound-method -- called with its own broker below
  const { mark } = Broker.prototype;
  Broker.prototype.mark = function (shard, worker, id, counts) {
    appendFileSync(marks, `marked ${id} 0 0 ${process.pid} ${Date.now()}\n`);
    return mark.call(this, shard, worker, id, counts);
  };
}

const telemetry = new Telemetry();
const { config } = await resolveConfig(loadConfig(), () => undefined);
logEvents(telemetry, config.logLevel);
const end = (kind: ShutdownKind): void => shutdown[kind]('an operator asked for it');
let app: App | undefined;
const starting = startApp(config, telemetry, {
  shutdown: end,
  stuck: () => shutdown.stuck(),
  tasks: TASKS_OF_TESTS,
  thread: new URL('test-thread.js', import.meta.url),
  schedules,
});
const shutdown = new Shutdown({
  telemetry,
  stop: async () => (await starting).stop(),
  abandon: async () => (await starting).abandon(),
  isStuck: () => app?.isStuck() ?? false,
});
shutdown.onSignals();
app = await starting;
telemetry.emit('process.started', { role: config.role, pid: process.pid });
