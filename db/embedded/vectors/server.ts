/**
 * The server of the local vector store. It serves JSON over HTTP in Qdrant's envelope `{result, status, time}`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BodyTooLarge, listenOnLoopback, readBody, sendJson } from '../host/http.ts';
import { readObject, StoreError } from './point.ts';
import { route } from './routes.ts';
import { VectorStore } from './store.ts';

/** The limit on an uncompressed body; Qdrant's default. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Qdrant's version, for clients that check compatibility. */
const INTERFACE_VERSION = '1.18.0';

export async function serve({ folder }: { folder: string }) {
  const store = new VectorStore(folder);
  const server = await listenOnLoopback((request, response) => {
    void answer(store, request, response);
  });
  return {
    url: server.url,
    note: 'local vector store, not Qdrant',
    async stop() {
      await server.close();
      store.close();
    },
  };
}

async function answer(
  store: VectorStore,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedMs = performance.now();
  const [status, fields] = await handle(store, request);
  const time = (performance.now() - startedMs) / 1000;
  sendJson(response, status, 'title' in fields ? fields : { ...fields, time });
  // The rest of a body that was only partly read would be parsed as the next request.
  if (!request.complete) request.socket.end();
}

async function handle(
  store: VectorStore,
  request: IncomingMessage,
): Promise<[status: number, fields: object]> {
  try {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/') {
      return [200, { title: 'local vector store, not Qdrant', version: INTERFACE_VERSION }];
    }
    const text = (await readBody(request, MAX_BODY_BYTES)).toString('utf8');
    const body = text === '' ? {} : readObject(parseJson(text), 'body');
    return [200, { result: route(store, request.method ?? 'GET', pathname, body), status: 'ok' }];
  } catch (error) {
    if (error instanceof BodyTooLarge) return [413, failed(`Payload error: ${error.message}`)];
    if (error instanceof StoreError) return [error.status, failed(error.message)];
    return [500, failed(`Service internal error: ${String(error)}`)];
  }
}

function failed(error: string) {
  return { status: { error } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StoreError(400, `Format error in JSON body: ${String(error)}`);
  }
}
