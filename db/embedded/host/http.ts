/**
 * What the HTTP servers of the embedded engines share: bounded bodies, and a start and stop on loopback.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** The body is larger than the server accepts. */
export class BodyTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the body is larger than ${maxBytes} bytes`);
    this.name = 'BodyTooLarge';
  }
}

/**
 * Reads a whole body, unpacking gzip. The bound counts unpacked bytes, so that a small archive cannot grow without end.
 * @throws {BodyTooLarge} past `maxBytes`.
 */
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

export interface LoopbackServer {
  url: string;
  /** Refuses new connections, waits for the answers under way, then ends the idle ones. */
  close(): Promise<void>;
}

/** Serves on a free port of 127.0.0.1. */
export async function listenOnLoopback(listener: RequestListener): Promise<LoopbackServer> {
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000 }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let closing = false;
  // A connection kept alive after its answer would hold up `close` for 5 s.
  server.on('request', (request, response) => {
    response.once('close', () => {
      if (closing) request.socket.end();
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      closing = true;
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}
