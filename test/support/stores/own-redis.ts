/**
 * A Redis for one test alone, which it may fill, reconfigure and kill.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { loadConfig } from '../../../base/config.ts';
import type { Engine } from '../../../db/embedded/host/engine.ts';
import { markProcess } from '../../../db/embedded/host/process.ts';
import { startRedis } from '../../../db/embedded/redis/start.ts';
import { atEnd } from '../at-end.ts';
import { endWithTest, forget } from '../queue/survivors.ts';

export interface OwnRedis {
  /** Changes with a restart. */
  url: string;
  /** Stops answering, as a frozen or swapping machine does, until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it without a word. */
  kill(): void;
  /** Where its append-only files are. */
  folder: string;
  /** Kills it without a word and starts it again on the same data. */
  restart(): Promise<void>;
}

export async function ownRedis(t: TestContext): Promise<OwnRedis> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'daodao-queue-'));
  const options = { dataDir, cacheDir: loadConfig().cacheDir };
  const start = async (): Promise<Engine> => {
    const started = await startRedis(options);
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
  const own: OwnRedis = {
    url: engine.url,
    pause: () => void process.kill(engine.pid, 'SIGSTOP'),
    resume: () => void process.kill(engine.pid, 'SIGCONT'),
    kill() {
      if (markProcess(engine.pid) !== undefined) process.kill(engine.pid, 'SIGKILL');
    },
    folder: path.join(dataDir, 'redis'),
    async restart() {
      own.kill();
      await stop();
      engine = await start();
      own.url = engine.url;
    },
  };
  return own;
}
