/**
 * The gate: a TCP proxy between one process and one of its stores. It takes the stream apart into requests and replies, asks
 * what is to become of each, and otherwise passes them on unchanged.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Connection } from './connection.ts';
import type { Framer } from './framers/framer.ts';
import type { Judge } from './passage.ts';

export interface GateOptions {
  /** `redis://`, `postgres://` or `http://` with host and port. */
  target: string;
  framer(): Framer;
  judge: Judge;
}

export class Gate {
  readonly #server: Server;
  readonly #options: GateOptions;
  readonly #connections = new Set<Connection>();
  #target: URL;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#target = new URL(options.target);
    this.#server = createServer({ noDelay: true, allowHalfOpen: false }, (client) =>
      this.#accept(client),
    );
  }

  /** @returns the URL of the store through this gate. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href.replace(/\/$/, '');
  }

  /** Where new connections lead. */
  set target(target: string) {
    this.#target = new URL(target);
  }

  /** Connections the process has not ended. */
  get connections(): number {
    return [...this.#connections].filter(({ isOpen }) => isOpen).length;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const connection of this.#connections) connection.end();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const upstream = connect({
      host: this.#target.hostname,
      port: Number(this.#target.port),
      noDelay: true,
    });
    const { framer, judge } = this.#options;
    const connection = new Connection(client, upstream, framer(), judge, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
  }
}
