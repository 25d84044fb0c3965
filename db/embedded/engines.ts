/**
 * Resolves the URL of every store: the configured one, or that of an embedded engine started here.
 */
import type { Config, ResolvedConfig } from '../../base/config.ts';
import { startClickhouse } from './clickhouse/start.ts';
import { startCoach } from './coach/start.ts';
import { keptSecret, randomSecret } from './host/data-dir.ts';
import type { Engine } from './host/engine.ts';
import { startKeeper } from './host/keeper.ts';
import { findRunning, lockDataDir, type EngineUrls } from './host/lock.ts';
import { startPostgres } from './postgres/start.ts';
import { markProcess, type Leftover } from './host/process.ts';
import { startRedis } from './redis/start.ts';
import { startVectorStore } from './vectors/start.ts';

const OPENAI_URL = 'https://api.openai.com/v1';

export interface Resolved {
  config: ResolvedConfig;
  embedded: string[];
  /** Stops the embedded engines. Safe to call twice. */
  stop(): Promise<void>;
}

interface EngineSpec {
  name: string;
  given: string | undefined;
  keepsData: boolean;
  start: (onSpawn: (pid: number) => void) => Promise<Engine>;
}

/** An unset URL means embedded. */
function engineSpecs(config: Config, onDelay?: (reason: string) => void): EngineSpec[] {
  const { dataDir, cacheDir } = config;
  return [
    {
      name: 'postgres',
      given: config.databaseUrl,
      keepsData: true,
      start: (onSpawn) => startPostgres({ dataDir, onSpawn }),
    },
    {
      name: 'redis',
      given: config.redisUrl,
      keepsData: true,
      start: (onSpawn) =>
        startRedis({
          dataDir,
          cacheDir,
          onSpawn,
          onFetch: () => onDelay?.('redis-server is fetched once, about 30 MB unpacked'),
        }),
    },
    {
      name: 'clickhouse',
      given: config.clickhouseUrl,
      keepsData: true,
      start: () => startClickhouse({ dataDir }),
    },
    {
      name: 'vectors',
      given: config.qdrantUrl,
      keepsData: true,
      start: () => startVectorStore({ dataDir }),
    },
    {
      name: 'coach',
      given: config.openaiBaseUrl ?? (config.openaiApiKey === undefined ? undefined : OPENAI_URL),
      keepsData: false,
      start: () => startCoach({ delayMs: config.offlineCoachDelayMs }),
    },
  ];
}

/**
 * Starts, in parallel, an embedded engine for every store without a URL. If every store has one, no folder is touched.
 * @param onDelay called with the reason if an engine takes seconds longer than usual.
 * @throws if the data directory is in use, or with the error of every engine that failed to start, after stopping the rest.
 */
export async function resolveConfig(
  config: Config,
  onReady: (engine: Engine, durationMs: number) => void,
  onDelay?: (reason: string) => void,
): Promise<Resolved> {
  const wanted = engineSpecs(config, onDelay).filter(({ given }) => given === undefined);
  if (wanted.length === 0)
    return { config: withUrls(config, {}), embedded: [], stop: () => Promise.resolve() };
  const lock = wanted.some(({ keepsData }) => keepsData)
    ? await lockDataDir(config.dataDir)
    : undefined;
  const secret = lock === undefined ? undefined : keptSecret(config.dataDir);
  const keeper = startKeeper();
  const engines: Engine[] = [];
  const stopAll = async (): Promise<void> => {
    const stopped = await Promise.allSettled(engines.map((engine) => engine.stop()));
    await keeper.close();
    lock?.release();
    const failures = reasons(stopped);
    if (failures.length > 0) throw new AggregateError(failures, 'some engines did not stop');
  };
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopAll());
  const started = await Promise.allSettled(
    wanted.map(async ({ name, start }) => {
      const startedAt = performance.now();
      const engine = await start((pid) => keeper.watch(pid, stopSignal(name))).catch(
        (error: Error) => Promise.reject(new Error(`${name}: ${error.message}`, { cause: error })),
      );
      engines.push(engine);
      keeper.watch(engine.pid, stopSignal(name));
      onReady(engine, Math.round(performance.now() - startedAt));
    }),
  );
  const failures = reasons(started);
  if (failures.length > 0) {
    await stop();
    const lines = failures.map((error) => (error instanceof Error ? error.message : String(error)));
    throw new AggregateError(failures, ['Not every engine started:', ...lines].join('\n  - '));
  }
  const urls = Object.fromEntries(engines.map(({ name, url }) => [name, url]));
  lock?.publish(urls, engines.flatMap(leftover));
  return {
    config: withUrls(config, urls, secret),
    embedded: wanted.map(({ name }) => name),
    stop,
  };
}

function reasons(results: readonly PromiseSettledResult<void>[]): unknown[] {
  return results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
}

/**
 * Finds the engines of another process, so that migrations can run while it serves.
 * @returns undefined if every store has a URL, or no such process runs.
 */
export function attachToRunning(config: Config): Promise<ResolvedConfig | undefined> {
  const missing = engineSpecs(config).filter(({ given }) => given === undefined);
  const urls = missing.some(({ keepsData }) => keepsData) ? findRunning(config.dataDir) : undefined;
  const isEnough = urls !== undefined && missing.every(({ name }) => urls[name] !== undefined);
  return Promise.resolve(isEnough ? withUrls(config, urls, keptSecret(config.dataDir)) : undefined);
}

function withUrls(config: Config, urls: EngineUrls, secret = randomSecret()): ResolvedConfig {
  const given = Object.fromEntries(
    engineSpecs(config).map((engine) => [engine.name, engine.given]),
  );
  const url = (name: string) => given[name] ?? urls[name]!;
  return {
    ...config,
    databaseUrl: url('postgres'),
    redisUrl: url('redis'),
    clickhouseUrl: url('clickhouse'),
    qdrantUrl: url('vectors'),
    openaiBaseUrl: url('coach'),
    // Keeps the vectors of the coach apart from those of a real model.
    embeddingModel: given['coach'] === undefined ? 'offline-coach' : config.embeddingModel,
    openaiApiKey: config.openaiApiKey ?? 'none',
    jwtSecurity: config.jwtSecurity ?? secret,
  };
}

/** The signal for a clean shutdown. Postgres waits for its clients on SIGTERM. */
function stopSignal(name: string): NodeJS.Signals {
  return name === 'postgres' ? 'SIGINT' : 'SIGTERM';
}

function leftover({ name, pid }: Engine): Leftover[] {
  const mark = markProcess(pid);
  return mark === undefined ? [] : [{ ...mark, signal: stopSignal(name) }];
}
