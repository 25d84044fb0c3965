/**
 * One connection through the gate: requests go on in the order they came, replies belong to the oldest request without one.
 */
import type { Socket } from 'node:net';
import type { Framer, ReplyPart, Request } from './framers/framer.ts';
import type { Judge, Passage, Verdict } from './passage.ts';

/** How long the store may take to answer what is delivered late, in milliseconds. */
const LATE_ANSWER_MS = 3000;

interface Exchange {
  request: Request;
  parts: Buffer[];
  isComplete: boolean;
  verdict: Verdict;
  /** Answered here, once its turn comes. */
  refusal?: Buffer;
}

export class Connection {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #framer: Framer;
  readonly #judge: Judge;
  /** Requests that have not been passed on yet. */
  #waiting: Request[] = [];
  /** Requests passed on whose replies are not. */
  readonly #asked: Exchange[] = [];
  #held = false;
  #isMute = false;
  #isKept = false;
  #answered: (() => void) | undefined;

  constructor(client: Socket, upstream: Socket, framer: Framer, judge: Judge, ended: () => void) {
    this.#client = client;
    this.#upstream = upstream;
    this.#framer = framer;
    this.#judge = judge;
    const endIfOver = (): void => {
      if (client.destroyed && upstream.destroyed) ended();
    };
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('data', (chunk) => {
      this.#waiting.push(...framer.requests(chunk));
      this.#pump();
    });
    upstream.on('data', (chunk) => {
      for (const part of framer.replies(chunk)) this.#hear(part);
    });
    client.on('close', () => {
      if (!this.#isKept) upstream.destroy();
      endIfOver();
    });
    upstream.on('close', () => {
      if (!this.#isMute) client.destroy();
      this.#answered?.();
      endIfOver();
    });
  }

  get isOpen(): boolean {
    return !this.#client.destroyed;
  }

  end(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  #pump(): void {
    while (!this.#held && !this.#isMute) {
      const request = this.#waiting.shift();
      if (request === undefined) return;
      const verdict = request.name === undefined ? 'pass' : this.#judge.request(request);
      const exchange: Exchange = { request, parts: [], isComplete: false, verdict };
      if (typeof verdict === 'function') {
        this.#held = true;
        verdict(this.#heldRequest(exchange));
      } else {
        this.#send(exchange);
      }
    }
  }

  #send(exchange: Exchange): void {
    if (exchange.request.isAnswered) this.#asked.push(exchange);
    this.#upstream.write(exchange.request.bytes);
  }

  #hear({ bytes, isLast }: ReplyPart): void {
    const exchange = this.#asked[0];
    if (exchange === undefined) return this.#tell(bytes);
    if (exchange.verdict === 'pass') {
      this.#tell(bytes);
    } else {
      exchange.parts.push(bytes);
    }
    if (!isLast) return;
    exchange.isComplete = true;
    this.#asked.shift();
    this.#judgeReply(exchange);
    this.#answered?.();
    this.#tellRefusals();
  }

  #judgeReply(exchange: Exchange): void {
    if (exchange.verdict === 'pass') return;
    const reply = Buffer.concat(exchange.parts);
    const verdict = this.#judge.reply(exchange.request, reply);
    if (typeof verdict === 'function') verdict(this.#heldReply(exchange, reply));
    else this.#tell(reply);
  }

  #tell(bytes: Buffer): void {
    if (!this.#isMute && !this.#client.destroyed) this.#client.write(bytes);
  }

  #tellRefusals(): void {
    for (let next = this.#asked[0]; next?.refusal !== undefined; next = this.#asked[0]) {
      this.#asked.shift();
      this.#tell(next.refusal);
    }
  }

  #release(): void {
    this.#held = false;
    this.#pump();
  }

  #heldRequest(exchange: Exchange): Passage {
    return {
      ...this.#control(),
      request: exchange.request,
      reply: Buffer.alloc(0),
      pass: () => {
        // Whoever held the request may also want its reply.
        exchange.verdict = 'watch';
        this.#send(exchange);
        this.#release();
      },
      refuse: (word) => {
        this.#asked.push({ ...exchange, refusal: this.#framer.refusal(word) });
        this.#tellRefusals();
        this.#release();
      },
      deliver: () => this.#deliver(exchange),
    };
  }

  #heldReply({ request }: Exchange, reply: Buffer): Passage {
    return {
      ...this.#control(),
      request,
      reply,
      pass: () => this.#tell(reply),
      refuse: () => undefined,
      deliver: () => Promise.resolve(true),
    };
  }

  #control(): Pick<Passage, 'reset' | 'mute' | 'keep'> {
    return {
      reset: () => {
        this.#client.resetAndDestroy();
        this.#upstream.destroy();
      },
      mute: () => {
        this.#isMute = true;
        return new Promise((resolve) => this.#client.once('close', () => resolve()));
      },
      keep: () => {
        this.#isKept = true;
      },
    };
  }

  async #deliver(exchange: Exchange): Promise<boolean> {
    if (this.#upstream.destroyed) return false;
    const answered = new Promise<void>((resolve) => {
      this.#answered = resolve;
      setTimeout(resolve, LATE_ANSWER_MS).unref();
    });
    exchange.verdict = 'pass';
    this.#asked.push(exchange);
    this.#upstream.write(exchange.request.bytes);
    await answered;
    this.#upstream.destroy();
    return exchange.isComplete;
  }
}
