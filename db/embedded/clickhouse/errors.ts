/**
 * Errors in the form of ClickHouse's HTTP interface: an exception code and one line of text.
 */
export interface Failure {
  code: number;
  text: string;
}

const REFUSALS = {
  SYNTAX_ERROR: 62,
  NOT_IMPLEMENTED: 48,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  QUERY_IS_TOO_LARGE: 229,
} as const;

/** A refusal by this server rather than the engine, worded as the engine would. */
export class Refusal extends Error {
  constructor(name: keyof typeof REFUSALS, sentence: string) {
    super(`Code: ${REFUSALS[name]}. DB::Exception: ${sentence} (${name})`);
    this.name = 'Refusal';
  }
}

const UNKNOWN_EXCEPTION = 1002;

export function describeFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const code = /^Code: (\d+)\./.exec(message)?.[1];
  if (code !== undefined) return { code: Number(code), text: message };
  return {
    code: UNKNOWN_EXCEPTION,
    text: `Code: ${UNKNOWN_EXCEPTION}. DB::Exception: ${message} (UNKNOWN_EXCEPTION)`,
  };
}
