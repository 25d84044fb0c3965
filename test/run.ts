/**
 * The runner behind `npm test`: every test file but the experiments of test/faults, which `npm run faults` runs. Words after
 * `npm test --` choose the files whose path contains one of them; `--name TEXT` runs only the tests with this in their name.
 */
import { parseArgs } from 'node:util';
import { experimentFiles } from './faults/command/experiments.ts';
import { testFiles } from './runner/files.ts';
import type { Again } from './runner/report.ts';
import { conclude, runOnEngines, untilInterrupted } from './runner/run.ts';

/** A file that takes longer on a quiet machine has hung, in milliseconds. */
const HANG_MS = 300_000;

/** Files run at a time: one more than the cores of the machines this must be quick on, as tests wait for much. */
const CONCURRENCY = 3;

const interrupted = untilInterrupted();
const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string' } },
});
const experiments = experimentFiles();
const isWanted = (file: string): boolean =>
  !experiments.includes(file) && (words.length === 0 || words.some((word) => file.includes(word)));
const files = await testFiles(isWanted);
if (files.length === 0) {
  const isExperiment = experiments.some((file) => words.some((word) => file.includes(word)));
  const hint = isExperiment ? ' Experiments run by npm run faults.' : '';
  process.stderr.write(`No test file has ${words.join(' or ')} in its path.${hint}\n`);
  process.exitCode = 1;
} else {
  const again: Again = (file, test) =>
    `npm test -- ${file}${test === undefined ? '' : ` --name '${test.replaceAll("'", String.raw`'\''`)}'`}`;
  const run = { files, env: {}, concurrency: CONCURRENCY, hangMs: HANG_MS, again, ...values };
  conclude(await runOnEngines(run, interrupted), interrupted);
}
