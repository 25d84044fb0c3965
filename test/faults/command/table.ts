/**
 * The findings as the table of docs/reliability.md. A run writes the rows of its own experiments and leaves those of others.
 */
import type { Finding } from '../experiment.ts';

const BEGIN = '<!-- faults: begin -->';
const END = '<!-- faults: end -->';

const HEAD = ['by command', 'what was done', 'what came of it', 'violations', 'seed'];

/** What `report` wrote down. */
export type Reported = Required<Finding> & { experiment: string; seed: number };

/**
 * The document with the findings in the table between its two marks.
 * @param options what followed the experiments on the command line.
 * @throws when the document has not both marks.
 */
export function withFindings(
  document: string,
  findings: readonly Reported[],
  options: readonly string[],
): string {
  const [begin, end] = [document.indexOf(BEGIN) + BEGIN.length, document.indexOf(END)];
  if (begin < BEGIN.length || end < begin) throw new Error(`the document lacks ${BEGIN} or ${END}`);
  const made = new Set(findings.map(({ experiment }) => experiment));
  const kept = rowsOf(document.slice(begin, end)).filter((row) => !made.has(experimentOf(row)));
  const rows = [...kept, ...findings.map((finding) => rowOf(finding, options))];
  const table = tableOf(rows.toSorted((a, b) => experimentOf(a).localeCompare(experimentOf(b))));
  return `${document.slice(0, begin)}\n\n${table}\n\n${document.slice(end)}`;
}

type Row = readonly string[];

function rowOf(finding: Reported, options: readonly string[]): Row {
  const { experiment, figure, result, violations, seed } = finding;
  const command = [experiment, ...options].join(' ');
  return [`\`${command}\``, figure, result, String(violations.length), String(seed)];
}

function experimentOf([command]: Row): string {
  return /[\w-]+/.exec(command!)![0];
}

function rowsOf(table: string): Row[] {
  const lines = table.split('\n').filter((line) => line.startsWith('|'));
  const cells = (line: string): Row =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  return lines.slice(2).map(cells);
}

function tableOf(rows: readonly Row[]): string {
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: Row): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(HEAD), rule, ...rows.map(line)].join('\n');
}
