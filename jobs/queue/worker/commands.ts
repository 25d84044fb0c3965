/** Executes each command that a worker receives, only once, and sends the answer. */
import type { Broker } from '../broker/broker.ts';
import type { Command, Reply } from '../client/broadcast.ts';
import { messageOf } from '../broker/errors.ts';
import { isLongerThan } from '../broker/record.ts';

/** Command ids kept, so that a repeated command is not executed again. */
const REMEMBERED = 1000;
/** Limits the JSON text of an answer, as it takes up Redis's memory. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** Longest error message, in characters; longer ones are truncated. */
const MAX_ERROR_LENGTH = 2000;
/** How long an answer is retried while Redis is unavailable. After that no caller waits for it. */
const PATIENCE_MS = 2000;

export interface CommandsOptions {
  commanded?(verb: string, args: unknown): Promise<unknown>;
}

export class Commands {
  readonly #broker: Broker;
  readonly #worker: string;
  readonly #options: CommandsOptions;
  readonly #failed: (error: unknown) => void;
  readonly #heard = new Set<string>();

  constructor(
    broker: Broker,
    worker: string,
    options: CommandsOptions,
    failed: (error: unknown) => void,
  ) {
    this.#broker = broker;
    this.#worker = worker;
    this.#options = options;
    this.#failed = failed;
  }

  hear(text: string): void {
    this.#obey(text).catch((error: unknown) => this.#failed(error));
  }

  async #obey(text: string): Promise<void> {
    const command = JSON.parse(text) as Command;
    if (this.#heard.has(command.id)) return;
    this.#heard.add(command.id);
    for (const oldest of this.#heard) {
      if (this.#heard.size <= REMEMBERED) break;
      this.#heard.delete(oldest);
    }
    const reply = encodeReply(await this.#execute(command));
    const args = [command.id, `${this.#worker}\n${reply}`];
    await this.#broker.run('reply', 0, args, PATIENCE_MS);
  }

  async #execute({ verb, args }: Command): Promise<Reply> {
    const { commanded } = this.#options;
    if (commanded === undefined) return { error: 'This worker takes no commands.' };
    try {
      return { answer: (await commanded.call(this.#options, verb, args)) ?? null };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }
}

function encodeReply(reply: Reply): string {
  const bounded = 'error' in reply ? { error: reply.error.slice(0, MAX_ERROR_LENGTH) } : reply;
  let text: string;
  try {
    text = JSON.stringify(bounded);
  } catch {
    // The answer has a cycle, or a value such as a BigInt.
    text = JSON.stringify({ error: 'The answer cannot be written as JSON.' } satisfies Reply);
  }
  if (!isLongerThan(text, MAX_ANSWER_BYTES)) return text;
  return JSON.stringify({ error: `The answer is longer than ${MAX_ANSWER_BYTES / 1024} KiB.` });
}
