/** Rows for people, documents for programs. */
import { say } from './output.ts';

/** One JSON document when that was asked for, otherwise lines. */
export function show(isJson: boolean, document: unknown, lines: () => readonly string[]): void {
  if (isJson) return say(JSON.stringify(document, null, 2));
  for (const line of lines()) say(line);
}

/** Columns under their names, as wide as they must be. */
export function table(
  names: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] {
  const cells = [names, ...rows.map((row) => row.map(String))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
