/**
 * A Postgres for one storm alone, with every migration, at an address that outlives its restarts.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Engine } from '../../../db/embedded/host/engine.ts';
import { markProcess } from '../../../db/embedded/host/process.ts';
import { startPostgres } from '../../../db/embedded/postgres/start.ts';
import { migrate } from '../../../db/stores/migrate.ts';
import { atEnd } from '../../support/at-end.ts';
import { startFlakyProxy } from '../../support/stores/flaky-proxy.ts';
import { endWithTest, forget } from '../../support/queue/survivors.ts';

export interface OwnPostgres {
  url: string;
  /** Breaks every connection; the server is there all the while. */
  cut(): void;
  /** Ends it, cleanly or without a word, and starts it again on the same data. */
  restart(signal: 'SIGINT' | 'SIGKILL'): Promise<void>;
  /** Ends it without a word. */
  kill(): void;
}

export async function ownPostgres(t: TestContext): Promise<OwnPostgres> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'daodao-storm-'));
  // Postgres refuses to run as root, so its unprivileged user must be able to pass through.
  chmodSync(dataDir, 0o711);
  const start = async (): Promise<Engine> => {
    const started = await startPostgres({ dataDir });
    endWithTest(started.pid);
    return started;
  };
  const stop = async (): Promise<void> => {
    await engine.stop();
    forget(engine.pid);
  };
  let engine = await start();
  atEnd(t, async () => {
    await stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  await migrate(engine.url, ['daodao', 'ai']);
  const proxy = await startFlakyProxy(t, engine.url);
  const url = new URL(engine.url);
  url.port = new URL(proxy.url).port;
  const send = (signal: NodeJS.Signals): void => {
    if (markProcess(engine.pid) !== undefined) process.kill(engine.pid, signal);
  };
  return {
    url: url.href,
    cut: () => proxy.cut(),
    kill: () => send('SIGKILL'),
    async restart(signal) {
      send(signal);
      await stop();
      engine = await start();
      proxy.target = engine.url;
      proxy.cut();
    },
  };
}
