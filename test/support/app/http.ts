/**
 * Requests over a few connections that are kept: a client that costs little beside the server that it measures.
 */
import { Agent, request as httpRequest } from 'node:http';

export interface Sent {
  method: string;
  /** With its query, percent-encoded. */
  path: string;
  headers?: Record<string, string>;
  body?: Buffer | undefined;
}

export interface Received {
  status: number;
  body: Buffer;
}

export class HttpClient {
  readonly #agent: Agent;
  readonly #server: { host: string; port: string };

  /** @param connections that it opens at most; more requests wait for one. */
  constructor(origin: string, connections: number) {
    const { hostname, port } = new URL(origin);
    this.#server = { host: hostname, port };
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Resolves once the whole answer is there. */
  send({ method, path, headers, body }: Sent): Promise<Received> {
    return new Promise((resolve, reject) => {
      const options = { ...this.#server, agent: this.#agent, method, path };
      const length = body && { 'content-length': body.length };
      httpRequest({ ...options, headers: { ...headers, ...length } })
        .on('error', reject)
        .on('response', (response) => {
          const parts: Buffer[] = [];
          response
            .on('data', (part: Buffer) => void parts.push(part))
            .on('end', () =>
              resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }),
            )
            .on('error', reject);
        })
        .end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
