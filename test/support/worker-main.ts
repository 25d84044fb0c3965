/**
 * A process of the application like `main.ts`, on stores that are there, whose threads know the tasks of tests too.
 */
import { startApp } from '../../app.ts';
import { loadConfig } from '../../config.ts';
import { resolveConfig } from '../../db/embedded/engines.ts';
import { Shutdown } from '../../shutdown.ts';
import { logEvents, Telemetry } from '../../telemetry.ts';
import type { ShutdownKind } from '../../workers/commands.ts';
import { registerTasksOfTests } from './tasks-of-tests.ts';

registerTasksOfTests();

const telemetry = new Telemetry();
const { config } = await resolveConfig(loadConfig(), () => undefined);
logEvents(telemetry, config.logLevel);
const end = (kind: ShutdownKind): void => shutdown[kind]('an operator asked for it');
const starting = startApp(config, telemetry, {
  shutdown: end,
  threadModule: new URL('thread-of-tests.js', import.meta.url),
});
const shutdown = new Shutdown({
  telemetry,
  stop: async () => (await starting).stop(),
  abandon: async () => (await starting).abandon(),
});
shutdown.onSignals();
await starting;
telemetry.emit('process.started', { role: config.role, pid: process.pid });
