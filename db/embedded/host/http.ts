/**
 * Shared by the HTTP servers of the embedded engines: bounded bodies, JSON responses, and listening on loopback.
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

export class BodyTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the body is larger than ${maxBytes} bytes`);
    this.name = 'BodyTooLarge';
  }
}

/** The limit applies after gzip decompression, so that a small archive cannot fill memory. @throws {BodyTooLarge} */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const source: Readable =
    request.headers['content-encoding'] === 'gzip' ? gunzip(request) : request;
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new BodyTooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}

function gunzip(request: IncomingMessage): Readable {
  const unpacked = createGunzip();
  request.once('error', (error) => unpacked.destroy(error));
  return request.pipe(unpacked);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export interface LoopbackServer {
  url: string;
  /** Refuses new connections and waits for the responses in flight. */
  close(): Promise<void>;
  /** Refuses new connections and cuts the open ones. */
  abort(): Promise<void>;
}

export async function listenOnLoopback(listener: RequestListener): Promise<LoopbackServer> {
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000 }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let closing = false;
  // A connection that stays alive after its response would delay `close` by 5 s.
  server.on('request', (request, response) => {
    response.once('close', () => {
      if (closing) request.socket.end();
    });
  });
  const end = async (closeConnections: () => void): Promise<void> => {
    closing = true;
    const closed = once(server, 'close');
    server.close();
    closeConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => end(() => server.closeIdleConnections()),
    abort: () => end(() => server.closeAllConnections()),
  };
}
