/**
 * A Redis and a Postgres for one stage alone, which may be killed. Each has an address that outlives it.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../../base/config.ts';
import type { Engine } from '../../../db/embedded/host/engine.ts';
import { startPostgres } from '../../../db/embedded/postgres/start.ts';
import { startRedis } from '../../../db/embedded/redis/start.ts';
import { createTestStores, type TestStores } from '../../support/app/app.ts';
import type { Framer } from '../gate/framers/framer.ts';
import { Gate } from '../gate/gate.ts';
import type { Judge } from '../gate/passage.ts';
import { endWithTest, forget } from '../../support/queue/survivors.ts';

export type Killable = 'redis' | 'pg';

/** Passes everything on. */
const plain = (): Framer => ({
  requests: (bytes) => [
    { bytes, name: undefined, isAnswered: false, mutates: false, jobsBeside: () => [] },
  ],
  replies: (bytes) => [{ bytes, isLast: false }],
  refusal: () => Buffer.alloc(0),
});

interface Served {
  engine: Engine;
  gate: Gate;
  url: string;
  start(): Promise<Engine>;
}

export class OwnEngines {
  readonly #served: Record<Killable, Served>;
  readonly #dataDir: string;

  private constructor(dataDir: string, served: Record<Killable, Served>) {
    this.#dataDir = dataDir;
    this.#served = served;
  }

  static async start(): Promise<OwnEngines> {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'daodao-faults-'));
    // Postgres refuses to run as root, so its unprivileged user must be able to pass through.
    await chmod(dataDir, 0o711);
    const redis = await serve(() => startRedis({ dataDir, cacheDir: loadConfig().cacheDir }));
    const pg = await serve(() => startPostgres({ dataDir }));
    return new OwnEngines(dataDir, { redis, pg });
  }

  urlOf(store: Killable): string {
    return this.#served[store].url;
  }

  /** Kills it without a word, and starts it again on the same data. */
  async restart(store: Killable): Promise<void> {
    const served = this.#served[store];
    process.kill(served.engine.pid, 'SIGKILL');
    await served.engine.stop();
    forget(served.engine.pid);
    served.engine = await served.start();
    endWithTest(served.engine.pid);
    served.gate.target = served.engine.url;
  }

  async stop(): Promise<void> {
    for (const { gate, engine } of Object.values(this.#served)) {
      await gate.close();
      await engine.stop();
      forget(engine.pid);
    }
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}

async function serve(start: () => Promise<Engine>): Promise<Served> {
  const engine = await start();
  endWithTest(engine.pid);
  const judge: Judge = { request: () => 'pass', reply: () => 'pass' };
  const gate = new Gate({ target: engine.url, framer: plain, judge });
  return { engine, gate, url: await gate.open(), start };
}

/** On the engines of the tests, or on others that take their place: what is on those goes with them. */
export async function createStores(engines: OwnEngines | undefined): Promise<TestStores> {
  if (engines === undefined) return createTestStores();
  const { TEST_DATABASE_URL, TEST_REDIS_URL } = process.env;
  const own = { TEST_DATABASE_URL: engines.urlOf('pg'), TEST_REDIS_URL: engines.urlOf('redis') };
  Object.assign(process.env, own);
  try {
    const stores = await createTestStores();
    const drop = async (): Promise<void> => {
      stores.redis.client.disconnect();
      await Promise.all([stores.coach.stop(), stores.database.pool.end()]);
    };
    return { ...stores, drop };
  } finally {
    Object.assign(process.env, { TEST_DATABASE_URL, TEST_REDIS_URL });
  }
}
