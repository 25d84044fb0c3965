/**
 * The runner behind `npm test`: one embedded Postgres and one embedded Redis for all test files, then `node --test`.
 * Words after `npm test --` choose the files whose path contains one of them.
 */
import { compiledTests, runTests, untilInterrupted, withEngines } from './support/runner.ts';

/** Longest run of one test, and of one file, in milliseconds. Long runs by command need more. */
const TEST_TIMEOUT_MS = Number(process.env['TEST_TIMEOUT_MS'] ?? 600_000);

/** Files run at a time. Each is a process of its own; the machines this must be quick on have two cores. */
const CONCURRENCY = 2;

const interrupted = untilInterrupted();
const filters = process.argv.slice(2);
const files = await compiledTests(
  (file) => filters.length === 0 || filters.some((filter) => file.includes(filter)),
);
if (files.length === 0) {
  process.stderr.write(`No test file has ${filters.join(' or ')} in its path.\n`);
  process.exitCode = 1;
} else {
  await withEngines(async (env) => {
    const run = { files, env, concurrency: CONCURRENCY, timeoutMs: TEST_TIMEOUT_MS };
    process.exitCode = await runTests(run, interrupted);
  });
}
