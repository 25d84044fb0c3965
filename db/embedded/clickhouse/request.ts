/**
 * Reads a request of ClickHouse's HTTP interface: what to run, with which settings and parameters.
 */
import type { IncomingMessage } from 'node:http';
import { Refusal } from './errors.ts';
import { BodyTooLarge, readBody } from '../host/http.ts';

export interface Statement {
  sql: string;
  isInsert: boolean;
  queryId: string | undefined;
  database: string | undefined;
  /** Format of the answer unless the query names one. */
  format: string;
  /** Session settings by name, `max_execution_time` (seconds) always among them. */
  settings: Map<string, string>;
  /** Values of `{name: Type}` placeholders by name, escaped as in tab-separated text. */
  parameters: Map<string, string>;
}

/** Largest query or insert, unpacked. A whole body is held in memory. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

const MAX_EXECUTION_SECONDS = '30';

/** Query-string names with a meaning of their own; all others are `param_*` or settings. */
const OPTIONS = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'user',
  'password',
  'quota_key',
  'role',
  'wait_end_of_query',
  'buffer_size',
]);

/** What cannot be kept here, and would mislead if it were passed over in silence. */
const UNSUPPORTED = new Set(['session_id', 'session_timeout', 'compress', 'decompress']);

/**
 * @throws {Refusal} for a body past 32 MiB, a second statement, or an option that this server lacks.
 */
export async function readStatement(request: IncomingMessage, url: URL): Promise<Statement> {
  const { settings, parameters } = readSearch(url.searchParams, request.method === 'GET');
  const head = url.searchParams.get('query') ?? '';
  const body = await readText(request);
  const sql = head === '' || body === '' ? head + body : `${head}\n${body}`;
  const isInsert = /^\s*insert\s/i.test(sql);
  refuseSecondStatement(isInsert ? withoutData(head === '' ? sql : head) : sql);
  return {
    sql,
    isInsert,
    queryId: url.searchParams.get('query_id') ?? header(request, 'x-clickhouse-query-id'),
    database: url.searchParams.get('database') ?? header(request, 'x-clickhouse-database'),
    format:
      url.searchParams.get('default_format') ??
      header(request, 'x-clickhouse-format') ??
      'TabSeparated',
    settings,
    parameters,
  };
}

function readSearch(search: URLSearchParams, isGet: boolean) {
  const parameters = new Map<string, string>();
  // Asynchronous inserts, the engine's default, leave out the count of written rows and gain nothing locally.
  const settings = new Map([
    ['max_execution_time', MAX_EXECUTION_SECONDS],
    ['async_insert', '0'],
  ]);
  for (const [name, value] of search) {
    if (UNSUPPORTED.has(name)) {
      throw new Refusal('NOT_IMPLEMENTED', `The embedded ClickHouse has no \`${name}\`.`);
    }
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (!OPTIONS.has(name)) settings.set(name, value);
  }
  if (Number(settings.get('max_execution_time')) === 0) {
    settings.set('max_execution_time', MAX_EXECUTION_SECONDS);
  }
  // As in ClickHouse, a GET may change settings but no data.
  if (isGet) settings.set('readonly', '2');
  return { settings, parameters };
}

async function readText(request: IncomingMessage): Promise<string> {
  try {
    return (await readBody(request, MAX_BODY_BYTES)).toString('utf8');
  } catch (error) {
    if (error instanceof BodyTooLarge) throw new Refusal('QUERY_IS_TOO_LARGE', error.message);
    throw error;
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** An INSERT up to its inline rows, in which a semicolon is just text. */
function withoutData(insert: string): string {
  return /^[\s\S]*?\b(?:format\s+(?!values\b)\w+|values\b)/i.exec(insert)?.[0] ?? insert;
}

/** The engine would run every statement of a text; ClickHouse's HTTP interface takes one, and so does this server. */
function refuseSecondStatement(sql: string): void {
  const tokens =
    /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|--[^\n]*|\/\*[\s\S]*?\*\/|[;\s]|[^;\s'"`/-]+|./gs;
  let ended = false;
  for (const [token] of sql.matchAll(tokens)) {
    const isBlank = /^(?:\s|--|\/\*)/.test(token);
    if (ended && !isBlank && token !== ';') {
      throw new Refusal('SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed).');
    }
    if (token === ';') ended = true;
  }
}
