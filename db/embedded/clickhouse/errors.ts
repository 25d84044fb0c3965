/**
 * Failures as ClickHouse's HTTP interface tells them: a status, an exception code and one line of text.
 */
export interface Failure {
  status: number;
  /** ClickHouse's exception code, sent as `X-ClickHouse-Exception-Code`. */
  code: number;
  text: string;
}

/** What this server refuses by itself, with the codes ClickHouse has for it. */
const REFUSALS = {
  SYNTAX_ERROR: 62,
  NOT_IMPLEMENTED: 48,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  QUERY_IS_TOO_LARGE: 229,
} as const;

/** A refusal by this server rather than by the engine, worded like the engine's. */
export class Refusal extends Error {
  constructor(name: keyof typeof REFUSALS, sentence: string) {
    super(`Code: ${REFUSALS[name]}. DB::Exception: ${sentence} (${name})`);
    this.name = 'Refusal';
  }
}

/** ClickHouse's status for an exception code; every code not listed is 500. */
const CODES_BY_STATUS: Record<number, readonly number[]> = {
  // Values, columns, syntax.
  400: [
    6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427,
    441, 675, 676,
  ],
  401: [194],
  403: [192, 193, 497, 512, 516],
  // Unknown function, identifier, type, storage, table, aggregate, format, database, setting.
  404: [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511],
  408: [159],
  413: [229],
  501: [48],
  503: [76, 209, 439],
};

const UNKNOWN_EXCEPTION = 1002;

const STATUS_BY_CODE = new Map(
  Object.entries(CODES_BY_STATUS).flatMap(([status, codes]) =>
    codes.map((code) => [code, Number(status)] as const),
  ),
);

/** What to answer for an error of the engine or a refusal of this server. */
export function describeFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const code = /^Code: (\d+)\./.exec(message)?.[1];
  if (code !== undefined) {
    return { status: STATUS_BY_CODE.get(Number(code)) ?? 500, code: Number(code), text: message };
  }
  return {
    status: 500,
    code: UNKNOWN_EXCEPTION,
    text: `Code: ${UNKNOWN_EXCEPTION}. DB::Exception: ${message} (UNKNOWN_EXCEPTION)`,
  };
}
