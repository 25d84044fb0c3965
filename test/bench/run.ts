/**
 * The benchmark behind `npm run bench`: this queue and BullMQ on one Redis, and Celery where it is installed; durable
 * tasks, pg-boss and graphile-worker on one Postgres; the API and a bare server on both.
 *
 * It starts engines of its own and measures row after row (rows/): each side does the same work, through the same code
 * (children/) on a common interface (peers/), in processes of the same shape, in rounds that alternate. The
 * table goes to standard output with the ratio of the medians beside what the design demands of it; progress goes to
 * standard error. docs/benchmarks.md says what is compared and how to read it.
 *
 * Exit code 1 when a row failed, 2 when the command line is wrong; a figure that falls short is no failure.
 */
import { writeFile } from 'node:fs/promises';
import type { Bench } from './bench.ts';
import { HELP, parseOptions, UsageError, type Options } from './options.ts';
import { BenchPostgres } from './postgres.ts';
import { BenchRedis } from './redis.ts';
import { describeMachine, renderTable, summarize, type Report } from './report.ts';

const interrupted = new AbortController();

async function measure({ rows, rounds, scale }: Options): Promise<Report> {
  const startedMs = performance.now();
  const redis = await BenchRedis.start();
  const started: { postgres?: BenchPostgres } = {};
  const postgres = async () => (started.postgres ??= await BenchPostgres.start());
  const bench: Bench = { redis, postgres, rounds, scale, children: new Set() };
  const stopChildren = (): void => bench.children.forEach((child) => void child.stop());
  interrupted.signal.addEventListener('abort', stopChildren);
  const machine = await describeMachine(redis.version);
  const figures: Report['figures'] = [];
  const failures: Report['failures'] = [];
  try {
    for (const row of rows) {
      if (interrupted.signal.aborted) break;
      process.stderr.write(`${row.name}: ${row.what}`);
      const rowStartedMs = performance.now();
      try {
        figures.push(...(await row.measure(bench)).map(summarize));
      } catch (error) {
        failures.push({ row: row.name, error: explain(error) });
      }
      process.stderr.write(` (${((performance.now() - rowStartedMs) / 1000).toFixed(1)} s)\n`);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    const facts = { ...machine, postgres: started.postgres?.version };
    return { machine: facts, rounds, scale, seconds, figures, failures };
  } finally {
    await Promise.all([...bench.children].map((child) => child.stop()));
    await started.postgres?.stop();
    await redis.stop();
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${explain(error.cause)}`;
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.print !== undefined) return void process.stdout.write(options.print);
  const report = await measure(options);
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (options.json === '-') process.stdout.write(json);
  else process.stdout.write(renderTable(report));
  if (options.json !== undefined && options.json !== '-') await writeFile(options.json, json);
  if (report.failures.length > 0 || interrupted.signal.aborted) process.exitCode = 1;
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => interrupted.abort());
}
try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
