/** Prints tables for people and JSON for programs. */
import { say } from './output.ts';

export function show(isJson: boolean, document: unknown, lines: () => readonly string[]): void {
  if (isJson) return say(JSON.stringify(document, null, 2));
  for (const line of lines()) say(line);
}

/** Pads each column to its widest cell. */
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
