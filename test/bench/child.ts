/**
 * A measured process as its parent sees it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Answer, Args, Call, CommandName, Reply } from './children/commands.ts';
import type { PeerName } from './peers/peer.ts';

const MODULE = new URL('children/side.js', import.meta.url);
/** Longest wait for one command, in milliseconds: many times what any takes. */
const COMMAND_TIMEOUT_MS = 90_000;

export class Child {
  readonly peer: PeerName;
  readonly #process: ChildProcess;

  constructor(peer: PeerName) {
    this.peer = peer;
    this.#process = fork(MODULE, [peer], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  }

  /** One command at a time. @throws what the command threw; when the process ended or was silent for too long. */
  async call<K extends CommandName>(name: K, args: Args<K>): Promise<Answer<K>> {
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
      return reply.answer as Answer<K>;
    } catch (error) {
      throw new Error(`${this.peer}: ${name} failed`, { cause: error });
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
