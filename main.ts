/** A process of the application: `ROLE` selects its part. Stores without a URL run embedded. */
import { assertPortFree } from './api/http/service.ts';
import type { App } from './app.ts';
import { environment, loadConfig, type Config, type ResolvedConfig } from './base/config.ts';
import { resolveConfig, type Resolved } from './db/embedded/engines.ts';
import { assertMigrated, assertReadModel } from './db/stores/migrate.ts';
import { createPool } from './db/stores/postgres.ts';
import { prepareStores, seedStores } from './cli/prepare.ts';
import { checkModel, checkStores } from './db/stores/reachable.ts';
import { readFlags } from './cli/flags.ts';
import { aboutData, greeting } from './cli/greeting.ts';
import { onReaderGone, say } from './cli/output.ts';
import { fail, Shutdown } from './base/shutdown.ts';
import { logEvents, Telemetry } from './base/telemetry/telemetry.ts';
import type { ShutdownKind } from './workers/main/commands.ts';

let resolved: Resolved | undefined;
let starting: Promise<App> | undefined;
let started: App | undefined;
const telemetry = new Telemetry();
const shutdown = new Shutdown({
  telemetry,
  stop: stopEverything,
  abandon: async () => (await starting)?.abandon(),
  isStuck: () => started?.isStuck() ?? false,
});

function end(kind: ShutdownKind): void {
  shutdown[kind]('an operator asked for it');
}

/** Waits for a start under way: the process must not end while its threads start. */
async function stopEverything(): Promise<void> {
  const app = await starting?.catch(() => undefined);
  await app?.stop();
  await resolved?.stop();
}

async function prepare(config: Config, { config: ready, embedded }: Resolved): Promise<void> {
  await checkStores(ready, embedded);
  if (!embedded.includes('postgres')) return assertReady(ready);
  await prepareStores(ready, { readModel: true });
  await seedStores(ready, { events: embedded.includes('clickhouse') });
  say(aboutData(config.dataDir));
}

/** Fails the start before requests are accepted that could not be stored. */
async function assertReady(config: ResolvedConfig): Promise<void> {
  const db = createPool(config.databaseUrl, {
    max: 1,
    name: 'daodao-start',
    pooler: config.databasePooler,
  });
  try {
    await assertMigrated(db, ['ai']);
    await assertReadModel(db);
  } finally {
    await db.end();
  }
}

/** Does not block the start: an unavailable model only delays feedback. */
async function warnOfModel({ config, embedded }: Resolved): Promise<void> {
  const problem = await checkModel(config, embedded);
  if (problem !== undefined) telemetry.emit('model.unreachable', { problem });
}

/** Ends the process on `--help` and on unknown flags. */
function settingsOfFlags(): Record<string, string> {
  const flags = readFlags(process.argv.slice(2));
  if (flags.kind === 'settings') return flags.settings;
  if (flags.kind === 'help') {
    say(flags.text);
    process.exit(0);
  }
  process.stderr.write(`${flags.text}\n`);
  process.exit(2);
}

async function main(): Promise<void> {
  const config = loadConfig({ ...environment(), ...settingsOfFlags() });
  const logger = logEvents(telemetry, config.logLevel);
  shutdown.onSignals();
  onReaderGone(() => {
    // The log often shares the pipe, and writing to a broken pipe never ends.
    logger.level = 'silent';
    shutdown.warm('the reader of the output is gone');
  });
  if (config.role === 'all' || config.role === 'api') await assertPortFree(config);
  resolved = await resolveConfig(
    config,
    ({ name, note }, durationMs) =>
      say(`  ${name.padEnd(11)} ${(durationMs / 1000).toFixed(2)} s   ${note}`),
    (reason) => say(`  … ${reason}`),
  );
  await prepare(config, resolved);
  // Loaded late, so that a refused start stays fast.
  const { startApp } = await import('./app.ts');
  if (shutdown.begun) return;
  if (config.role === 'all' || config.role === 'worker') void warnOfModel(resolved);
  starting = startApp(resolved.config, telemetry, {
    shutdown: end,
    stuck: () => shutdown.stuck(),
  });
  const app = await starting;
  started = app;
  if (app.origin !== undefined && !shutdown.begun) await greet(resolved, app.origin);
  // After the greeting, so that no log line interrupts it.
  telemetry.emit('process.started', { role: config.role, pid: process.pid });
}

async function greet({ config, embedded }: Resolved, origin: string): Promise<void> {
  const lines = embedded.includes('postgres') ? await greeting(config, origin) : [];
  say([`\nDaoDao AI back end on ${origin}   docs: ${origin}/docs`, ...lines].join('\n'));
}

main().catch(async (error: unknown) => {
  if (shutdown.begun) return;
  const app = await starting?.catch(() => undefined);
  await app?.stop().catch(() => undefined);
  await resolved?.stop().catch(() => undefined);
  fail(error);
});
