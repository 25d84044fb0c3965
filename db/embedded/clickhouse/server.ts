/**
 * The child process of the embedded ClickHouse: its HTTP interface in front of the in-process engine.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeFailure } from './errors.ts';
import { readStatement, type Statement } from './request.ts';
import { openSessions, type Outcome, type Sessions } from './sessions.ts';
import { serveAsEngine } from '../host/engine.ts';
import { listenOnLoopback } from '../host/http.ts';

await serveAsEngine(startServer);

async function startServer({ folder }: { folder: string }) {
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

/** Credentials are taken as they come: the server is on loopback and belongs to whoever started it. */
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
    const outcome = await sessions.run(statement);
    response.writeHead(200, describeOutcome(statement, outcome)).end(outcome.bytes);
  } catch (error) {
    const { status, code, text } = describeFailure(error);
    response
      .writeHead(status, {
        'Content-Type': 'text/plain; charset=UTF-8',
        'X-ClickHouse-Exception-Code': code,
      })
      .end(`${text}\n`);
    // A body that was not read to its end would be taken for the next request.
    if (!request.complete) request.socket.end();
  }
}

function describeOutcome(statement: Statement, outcome: Outcome): Record<string, string> {
  const format = namedFormat(statement) ?? statement.format;
  const { rows, rowsBytes, elapsedSeconds } = outcome;
  const [read, written] = statement.isInsert ? [0, 1] : [1, 0];
  return {
    'Content-Type': contentType(format),
    'X-ClickHouse-Query-Id': statement.queryId ?? randomUUID(),
    'X-ClickHouse-Format': format,
    'X-ClickHouse-Timezone': 'UTC',
    'X-ClickHouse-Summary': JSON.stringify({
      read_rows: String(rows * read),
      read_bytes: String(rowsBytes * read),
      written_rows: String(rows * written),
      written_bytes: String(rowsBytes * written),
      elapsed_ns: String(Math.round(elapsedSeconds * 1e9)),
    }),
  };
}

function namedFormat({ sql, isInsert }: Statement): string | undefined {
  return isInsert ? undefined : /\bFORMAT\s+(\w+)[\s;]*$/i.exec(sql)?.[1];
}

function contentType(format: string): string {
  if (/^JSON(?:Compact|Strings)?(?:EachRow)/i.test(format)) return 'application/x-ndjson';
  if (/^JSON/i.test(format)) return 'application/json; charset=UTF-8';
  if (/^(?:TabSeparated|TSV)/i.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  return 'text/plain; charset=UTF-8';
}
