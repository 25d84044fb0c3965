/**
 * A process of the application: `ROLE` says which part. Stores without a URL are run embedded.
 */
import { assertPortFree } from './api/service.ts';
import { startApp, type App } from './app.ts';
import { loadConfig, type Config, type ResolvedConfig } from './config.ts';
import { resolveConfig, type Resolved } from './db/embedded/engines.ts';
import { assertMigrated, assertReadModel } from './db/migrate.ts';
import { createPool } from './db/postgres.ts';
import { prepareStores, seedStores } from './db/prepare.ts';
import { checkModel, checkStores } from './db/reachable.ts';
import { aboutData, greeting } from './greeting.ts';
import { onReaderGone, say } from './output.ts';
import { logEvents, Telemetry } from './telemetry.ts';

let resolved: Resolved | undefined;
let starting: Promise<App> | undefined;
let stopping: Promise<void> | undefined;

/** A second signal ends the process at once: leases run out and others take over. */
function stopOnSignal(telemetry: Telemetry): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping !== undefined) process.exit(130);
      stop(telemetry, signal);
    });
  }
}

function stop(telemetry: Telemetry, reason: string): void {
  if (stopping !== undefined) return;
  telemetry.emit('process.stopping', { reason });
  stopping = stopEverything(telemetry).then(
    () => process.exit(0),
    (error: unknown) => fail(error),
  );
}

/** A start under way is waited for: a process must not end while its threads begin. */
async function stopEverything(telemetry: Telemetry): Promise<void> {
  const startedMs = performance.now();
  const app = await starting?.catch(() => undefined);
  await app?.stop();
  await resolved?.stop();
  telemetry.emit('process.stopped', { durationMs: Math.round(performance.now() - startedMs) });
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

async function prepare(config: Config, { config: ready, embedded }: Resolved): Promise<void> {
  await checkStores(ready, embedded);
  if (!embedded.includes('postgres')) return assertReady(ready);
  await prepareStores(ready, { readModel: true });
  await seedStores(ready, { events: embedded.includes('clickhouse') });
  say(aboutData(config.dataDir));
}

/** Before anything is accepted that could not be stored. */
async function assertReady(config: ResolvedConfig): Promise<void> {
  const db = createPool(config.databaseUrl, { max: 1, name: 'daodao-start' });
  try {
    await assertMigrated(db, ['ai']);
    await assertReadModel(db);
  } finally {
    await db.end();
  }
}

/** Beside the start: its being away delays feedback, and keeps nobody from asking for it. */
async function warnOfModel({ config, embedded }: Resolved, telemetry: Telemetry): Promise<void> {
  const problem = await checkModel(config, embedded);
  if (problem !== undefined) telemetry.emit('model.unreachable', { problem });
}

async function main(): Promise<void> {
  const telemetry = new Telemetry();
  const config = loadConfig();
  const logger = logEvents(telemetry, config.logLevel);
  stopOnSignal(telemetry);
  onReaderGone(() => {
    // Often the same pipe, and a write of the log to a broken one never ends.
    logger.level = 'silent';
    stop(telemetry, 'nobody reads the output');
  });
  if (config.role === 'all' || config.role === 'api') await assertPortFree(config);
  resolved = await resolveConfig(
    config,
    ({ name, note }, durationMs) =>
      say(`  ${name.padEnd(11)} ${(durationMs / 1000).toFixed(2)} s   ${note}`),
    (reason) => say(`  … ${reason}`),
  );
  await prepare(config, resolved);
  if (stopping !== undefined) return;
  if (config.role === 'all' || config.role === 'worker') void warnOfModel(resolved, telemetry);
  starting = startApp(resolved.config, telemetry);
  const app = await starting;
  telemetry.emit('process.started', { role: config.role, pid: process.pid });
  if (app.origin === undefined || stopping !== undefined) return;
  say(`\nDaoDao AI back end on ${app.origin}   docs: ${app.origin}/docs`);
  if (!resolved.embedded.includes('postgres')) return;
  for (const line of await greeting(resolved.config, app.origin)) say(line);
}

main().catch(async (error: unknown) => {
  if (stopping !== undefined) return;
  const app = await starting?.catch(() => undefined);
  await app?.stop().catch(() => undefined);
  await resolved?.stop().catch(() => undefined);
  fail(error);
});
