/**
 * Chords of Celery as Debian packages it, with Redis as broker and for results: a process that calls, and a worker.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { BenchRedis } from '../redis.ts';
import { end, startPython, startWorker, type CeleryPool } from './celery.ts';

const TIMEOUT_MS = 90_000;

export class CeleryChords {
  readonly #worker: ChildProcess;
  readonly #client: ChildProcess;
  readonly #lines: Interface;

  constructor(redis: BenchRedis, pool: CeleryPool) {
    this.#worker = startWorker(redis, pool, 'celery_chords');
    this.#client = startPython(redis, 'celery_chords.py');
    this.#lines = createInterface({ input: this.#client.stdout! });
  }

  /** @returns members per second, from the call until the result of the callback is known. */
  async run(members: number): Promise<number> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const line = once(this.#lines, 'line', { signal });
    this.#client.stdin!.write(`${members}\n`);
    const [seconds] = (await line) as [string];
    return members / Number(seconds);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#client, this.#worker].map(end));
  }
}
