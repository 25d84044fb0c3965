/**
 * The Redis of a run: the embedded one, in a directory of its own, and what rows ask of it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { loadConfig } from '../../base/config.ts';
import { startRedis } from '../../db/embedded/redis/start.ts';

/** Between two looks at what Redis tells only when asked, in milliseconds. */
const LOOK_EVERY_MS = 5;

export class BenchRedis {
  readonly url: string;
  /** For instance `Redis 7.0.15`. */
  readonly version: string;
  readonly client: Redis;
  readonly #stop: () => Promise<void>;

  private constructor(url: string, version: string, client: Redis, stop: () => Promise<void>) {
    this.url = url;
    this.version = version;
    this.client = client;
    this.#stop = stop;
  }

  /** Starts without an append-only file: only the rows that are about one turn it on. */
  static async start(): Promise<BenchRedis> {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'daodao-bench-'));
    const { url, note, stop } = await startRedis({ dataDir, cacheDir: loadConfig().cacheDir });
    const client = new Redis(url);
    client.on('error', () => undefined);
    const redis = new BenchRedis(url, note, client, async () => {
      client.disconnect();
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    });
    await redis.appendOnly(false);
    return redis;
  }

  async appendOnly(on: boolean): Promise<void> {
    await this.client.config('SET', 'appendonly', on ? 'yes' : 'no');
    await this.until(
      async () => (await this.#fact('persistence', 'aof_rewrite_in_progress')) === 0,
    );
  }

  async flush(): Promise<void> {
    await this.client.flushall('SYNC');
  }

  /** User and system time of the server so far, in seconds. */
  async cpuSeconds(): Promise<number> {
    return (await this.#fact('cpu', 'used_cpu_user')) + (await this.#fact('cpu', 'used_cpu_sys'));
  }

  async usedBytes(): Promise<number> {
    return this.#fact('memory', 'used_memory');
  }

  /** Asks until something is so. */
  async until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await sleep(LOOK_EVERY_MS);
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  async #fact(section: string, name: string): Promise<number> {
    const info = await this.client.info(section);
    const value = new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
    if (value === undefined) throw new Error(`Redis does not tell ${name}`);
    return Number(value);
  }
}
