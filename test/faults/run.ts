/**
 * The command behind `npm run faults`: the experiments of the rooms below, as large as one likes. See README.md.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packagePath } from '../../base/package-path.ts';
import type { Counts } from '../runner/report.ts';
import { conclude, runOnEngines, untilInterrupted } from '../runner/run.ts';
import type { Experiment } from './command/experiments.ts';
import { helpText, parseOptions, UsageError, type Options } from './command/options.ts';
import { withFindings, type Reported } from './command/table.ts';

/** The gates take longest: they begin first where no durations are known yet. */
const GATES = ['matrix', 'mutants'];

/** An experiment of the size of CI that takes longer on a quiet machine has hung, and one of any other size, in milliseconds. */
const HANG_MS = { ci: 20 * 60_000, other: 12 * 3_600_000 };

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) return void process.stdout.write(helpText());
  const interrupted = untilInterrupted();
  const folder = await mkdtemp(path.join(tmpdir(), 'daodao-faults-'));
  const report = path.join(folder, 'findings');
  try {
    await writeFile(report, '');
    const counts = await measure(options, report, interrupted);
    const lines = (await readFile(report, 'utf8')).split('\n').filter(Boolean);
    const findings = lines.map((line) => JSON.parse(line) as Reported);
    for (const finding of findings) process.stdout.write(`${lineOf(finding)}\n`);
    if (options.write) await write(findings, options, args);
    conclude(counts, interrupted);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  { experiments, orders, isCi }: Options,
  report: string,
  interrupted: AbortSignal,
): Promise<Counts> {
  const run = {
    files: experiments
      .toSorted((a, b) => Number(isGate(b)) - Number(isGate(a)))
      .map(({ file }) => file),
    env: { FAULTS_ORDERS: JSON.stringify(orders), FAULTS_REPORT: report },
    // Alone, so that what one measures is not what another does.
    concurrency: isCi ? 2 : 1,
    hangMs: isCi ? HANG_MS.ci : HANG_MS.other,
    again: (file: string) => `npm run faults -- ${path.basename(file, '.test.ts')}`,
  };
  return runOnEngines(run, interrupted);
}

const isGate = ({ name }: Experiment): boolean => GATES.includes(name);

function lineOf({ figure, result, violations, unproven, seed }: Reported): string {
  const word = violations.length > 0 ? 'BROKEN' : unproven.length > 0 ? 'NOT PROVEN' : 'held';
  return `${word}  ${figure}: ${result} (seed ${seed})`;
}

async function write(
  findings: readonly Reported[],
  { experiments }: Options,
  args: readonly string[],
): Promise<void> {
  const file = packagePath('docs', 'reliability.md');
  const names = experiments.map(({ name }) => name);
  const rest = args.filter((word) => word !== '--write' && !names.includes(word));
  await writeFile(file, withFindings(await readFile(file, 'utf8'), findings, rest));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${helpText()}`);
  process.exitCode = 2;
}
