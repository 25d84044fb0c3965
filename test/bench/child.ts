/**
 * A measured process as its parent sees it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Answer, Args, Call, Reply } from './children/serve.ts';

/** Longest wait for one command, in milliseconds: many times what any takes. */
const COMMAND_TIMEOUT_MS = 90_000;

/** @typeParam C the commands that it knows. */
export class Child<C> {
  readonly #name: string;
  readonly #process: ChildProcess;

  /** @param module below `children/`, without its ending. */
  constructor(module: string, ...args: string[]) {
    this.#name = [module, ...args].join(' ');
    this.#process = fork(new URL(`children/${module}.js`, import.meta.url), args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** One command at a time. @throws what the command threw; when the process ended or was silent for too long. */
  async call<K extends keyof C & string>(name: K, args: Args<C, K>): Promise<Answer<C, K>> {
    const settled = new AbortController();
    const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(COMMAND_TIMEOUT_MS)]);
    this.#process.send({ name, args } satisfies Call);
    try {
      const [reply] = (await Promise.race([
        once(this.#process, 'message', { signal }),
        once(this.#process, 'exit', { signal }).then(([code]) => {
          throw new Error(`the process ended with exit code ${String(code)}`);
        }),
      ])) as [Reply];
      if ('error' in reply) throw new Error(reply.error);
      return reply.answer as Answer<C, K>;
    } catch (error) {
      throw new Error(`${this.#name}: ${name} failed`, { cause: error });
    } finally {
      settled.abort();
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}
