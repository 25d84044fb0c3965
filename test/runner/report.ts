/**
 * What a person reads of a run: a line for each file as it ends, failures last, and one line of numbers.
 */
import { stripVTControlCharacters } from 'node:util';
import type { Told } from './events.ts';

export interface FileResult {
  file: string;
  told: readonly Told[];
  /** What the process and its tests printed. */
  output: string;
  /** Exit code, or the signal that ended it. */
  ended: number | NodeJS.Signals;
  /** Set when it was given up. */
  hung: boolean;
  durationMs: number;
}

interface Failure {
  file: string;
  /** Names of the test and those around it; empty when the file itself failed. */
  path: readonly string[];
  error: string;
  diagnostics: readonly string[];
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The command that runs a file again, or one test of it. */
export type Again = (file: string, test?: string) => string;

export class Report {
  readonly counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  readonly #failures: Failure[] = [];
  readonly #write: (line: string) => void;
  readonly #again: Again;

  constructor(write: (line: string) => void, again: Again) {
    this.#write = write;
    this.#again = again;
  }

  /** @param progress how far the run is. */
  add(result: FileResult, progress: string): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const failures = failuresOf(result);
    for (const { kind, isSuite, isSkipped, isTodo } of result.told) {
      if ((kind !== 'pass' && kind !== 'fail') || isSuite === true) continue;
      if (isSkipped === true || isTodo === true) counts.skipped++;
      else if (kind === 'pass') counts.passed++;
      else counts.failed++;
    }
    // A file may fail outside its tests.
    counts.failed = Math.max(counts.failed, failures.length);
    for (const name of ['passed', 'failed', 'skipped'] as const) this.counts[name] += counts[name];
    this.#failures.push(...failures);
    const seconds = (result.durationMs / 1000).toFixed(1);
    const words = counts.failed > 0 ? `FAILED, ${wordsOf(counts)}` : wordsOf(counts);
    this.#write(`${progress}  ${result.file}  ${words}, ${seconds} s`);
  }

  /** Tells every failure. */
  failures(): void {
    for (const { file, path, error, diagnostics } of this.#failures) {
      this.#write(`\nFAILED ${[file, ...path].join(' > ')}`);
      for (const line of [...diagnostics, ...error.split('\n')]) this.#write(`  ${line}`);
      this.#write(`  Again: ${this.#again(file, path[0])}`);
    }
  }
}

export const wordsOf = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

function failuresOf({ file, told, output, ended, hung }: FileResult): Failure[] {
  const failures: Failure[] = [];
  const path: string[] = [];
  /** Of the test that began last. */
  const begun: string[] = [];
  let diagnostics: string[] = [];
  for (const { kind, text, nesting, isTodo, isParent, error = '' } of told) {
    if (kind === 'begin') begun.splice(nesting, Infinity, text);
    else if (kind === 'start') path.splice(nesting, Infinity, text);
    else if (kind === 'diagnostic') {
      // What belongs to a test is told right after it.
      const last = failures.at(-1);
      if (last !== undefined && nesting >= last.path.length - 1) diagnostics.push(text);
    } else {
      diagnostics = [];
      if (kind === 'fail' && isParent !== true && isTodo !== true) {
        const names = [...path.slice(0, nesting), text];
        failures.push({ file, path: names, error: withoutNode(error), diagnostics });
      }
    }
  }
  const lines = output.trim().split('\n').slice(-60).join('\n');
  if (hung) {
    failures.push({ file, path: begun, error: `It hung.\n${lines}`, diagnostics: [] });
  } else if (ended !== 0 && failures.length === 0) {
    failures.push({ file, path: [], error: `It ended with ${ended}.\n${lines}`, diagnostics: [] });
  }
  return failures;
}

/** An error without colours, and without the frames inside of Node. */
function withoutNode(error: string): string {
  const lines = stripVTControlCharacters(error).split('\n');
  return lines.filter((line) => !/^\s+at .*\bnode:internal\//.test(line)).join('\n');
}
