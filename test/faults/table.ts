/**
 * The findings as the table of docs/reliability.md.
 */
import type { Finding } from './experiment.ts';

const BEGIN = '<!-- faults: begin -->';
const END = '<!-- faults: end -->';

/** @param command what produces it again. */
export function tableOf(
  findings: readonly (Finding & { seed: number })[],
  command: string,
): string {
  const rows = [
    ['what was done', 'what came of it', 'violations', 'seed'],
    ...findings.map(({ figure, result, violations, seed }) => [
      figure,
      result,
      String(violations.length),
      String(seed),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const [head, ...body] = rows.map(line);
  return [`\`${command}\` wrote this table.`, '', head, rule, ...body].join('\n');
}

/** The document with the table between its two marks. @throws when it has not both. */
export function withTable(document: string, table: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the document lacks ${BEGIN} or ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${document.slice(end)}`;
}
