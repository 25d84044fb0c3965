/**
 * Reads a request of ClickHouse's HTTP interface: a statement with its settings and parameters.
 */
import type { IncomingMessage } from 'node:http';
import { Refusal } from './errors.ts';
import { BodyTooLarge, readBody } from '../host/http.ts';

export interface Statement {
  sql: string;
  /** By name; always includes `max_execution_time`, in seconds. */
  settings: Map<string, string>;
  /** Values of `{name: Type}` placeholders by name, escaped as in tab-separated text. */
  parameters: Map<string, string>;
}

/** The limit on an uncompressed body, which is held in memory. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

const MAX_EXECUTION_SECONDS = '30';

/** Options that this server refuses, because ignoring them would mislead. */
const UNSUPPORTED = new Set([
  'session_id',
  'session_timeout',
  'compress',
  'decompress',
  'database',
  'default_format',
  'role',
  'user',
  'password',
  'quota_key',
]);

/** @throws {Refusal} for a body past 32 MiB, a second statement, or an unsupported option. */
export async function readStatement(request: IncomingMessage, url: URL): Promise<Statement> {
  const { settings, parameters } = readSearch(url.searchParams, request.method === 'GET');
  const head = url.searchParams.get('query') ?? '';
  const body = await readText(request);
  const sql = head === '' || body === '' ? head + body : `${head}\n${body}`;
  const isInsert = /^\s*insert\s/i.test(sql);
  refuseSecondStatement(isInsert ? withoutData(head === '' ? sql : head) : sql);
  return { sql, settings, parameters };
}

function readSearch(search: URLSearchParams, isGet: boolean) {
  const parameters = new Map<string, string>();
  // The engine's default, asynchronous inserts, gains nothing locally.
  const settings = new Map([
    ['max_execution_time', MAX_EXECUTION_SECONDS],
    ['async_insert', '0'],
  ]);
  for (const [name, value] of search) {
    if (UNSUPPORTED.has(name)) {
      throw new Refusal('NOT_IMPLEMENTED', `The embedded ClickHouse has no \`${name}\`.`);
    }
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (name !== 'query' && name !== 'query_id') settings.set(name, value);
  }
  if (Number(settings.get('max_execution_time')) === 0) {
    settings.set('max_execution_time', MAX_EXECUTION_SECONDS);
  }
  // As in ClickHouse, a GET may change settings but not data.
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

/** An INSERT without its inline rows, in which a semicolon is text. */
function withoutData(insert: string): string {
  return /^[\s\S]*?\b(?:format\s+(?!values\b)\w+|values\b)/i.exec(insert)?.[0] ?? insert;
}

/** The engine would run every statement of a text; ClickHouse's HTTP interface accepts one. */
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
