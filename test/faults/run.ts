/**
 * The command behind `npm run faults`: the experiments of this folder, as large as one likes.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packagePath } from '../../package-path.ts';
import { compiledTests, runTests, untilInterrupted, withEngines } from '../support/runner.ts';
import { helpText, parseOptions, UsageError, type Options } from './options.ts';
import { withFindings, type Reported } from './table.ts';

/** Longest run of one experiment, in milliseconds. */
const TIMEOUT_MS = 12 * 3_600_000;

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) return void process.stdout.write(helpText());
  const interrupted = untilInterrupted();
  const folder = await mkdtemp(path.join(tmpdir(), 'daodao-faults-'));
  const report = path.join(folder, 'findings');
  try {
    await writeFile(report, '');
    await measure(options, report, interrupted);
    const lines = (await readFile(report, 'utf8')).split('\n').filter(Boolean);
    const findings = lines.map((line) => JSON.parse(line) as Reported);
    for (const finding of findings) process.stdout.write(`${lineOf(finding)}\n`);
    if (options.write) await write(findings, options, args);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  { experiments, orders }: Options,
  report: string,
  interrupted: AbortSignal,
): Promise<void> {
  const wanted = experiments.map(({ name }) => path.join('test', 'faults', `${name}.test.ts`));
  const files = await compiledTests((file) => wanted.includes(file));
  await withEngines(async (engines) => {
    const env = { ...engines, FAULTS_ORDERS: JSON.stringify(orders), FAULTS_REPORT: report };
    const run = { files, env, concurrency: 1, timeoutMs: TIMEOUT_MS };
    process.exitCode = await runTests(run, interrupted);
  });
}

function lineOf({ figure, result, violations, seed }: Reported): string {
  return `${violations.length === 0 ? 'held' : 'BROKEN'}  ${figure}: ${result} (seed ${seed})`;
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
