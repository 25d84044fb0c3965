/**
 * The server of the embedded ClickHouse: serves its HTTP interface in front of the in-process engine.
 */
import { mkdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeFailure } from './errors.ts';
import { readStatement } from './request.ts';
import { openSessions, type Sessions } from './sessions.ts';
import { listenOnLoopback } from '../host/http.ts';

export async function serve({ folder }: { folder: string }) {
  mkdirSync(folder, { recursive: true });
  const sessions = await openSessions(folder);
  const server = await listenOnLoopback((request, response) => {
    void answer(sessions, request, response);
  });
  return {
    url: server.url,
    note: `ClickHouse ${sessions.version} (chdb, in a process of its own)`,
    async stop() {
      await server.close();
      await sessions.close();
    },
  };
}

/** Ignores credentials in headers: only processes on this machine reach the server. */
async function answer(
  sessions: Sessions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'GET' && (url.pathname === '/ping' || !url.search)) {
      response.end('Ok.\n');
      return;
    }
    const statement = await readStatement(request, url);
    response.end(await sessions.run(statement));
  } catch (error) {
    const { code, text } = describeFailure(error);
    response
      .writeHead(500, {
        'Content-Type': 'text/plain; charset=UTF-8',
        'X-ClickHouse-Exception-Code': code,
      })
      .end(`${text}\n`);
    // The rest of a body that was only partly read would be parsed as the next request.
    if (!request.complete) request.socket.end();
  }
}
