/** Every row of the benchmark still measures every side, with hardly any jobs. Its figures mean nothing here. */
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { packagePath } from '../../../base/package-path.ts';
import type { Report, Summary } from '../../bench/report.ts';
import { ROWS } from '../../bench/rows/index.ts';
import { HANG_MS } from '../../support/patience.ts';
import { report } from '../experiment.ts';

/** Celery is measured only where it is installed. */
const OPTIONAL = ['celery', 'celery-chord'];
/** Rows with a figure that compares ours with nothing. */
const OURS_ALONE = ['depth', 'durable-latency', 'chord'];

test('every row of the benchmark measures every side', async (t) => {
  const file = path.join(tmpdir(), `${randomUUID()}.json`);
  const run = packagePath('dist', 'test', 'bench', 'run.js');
  const args = ['--rounds', '1', '--scale', '0.01', '--json', file];
  const timeout = ROWS.length * HANG_MS;
  const failed = await promisify(execFile)(process.execPath, [run, ...args], { timeout }).then(
    () => [],
    (error: Error) => [error.message],
  );
  const text = await readFile(file, 'utf8').catch(() => '{"figures":[],"failures":[]}');
  const { figures, failures } = JSON.parse(text) as Report;
  await rm(file, { force: true });
  const measured = new Set(figures.map(({ row }) => row));
  const wanted = figures.filter(({ row }) => !OPTIONAL.includes(row));
  const violations = [
    ...failed,
    ...failures.map(({ row, error }) => `${row}: ${error}`),
    ...ROWS.filter(({ name }) => !measured.has(name) && !OPTIONAL.includes(name)).map(
      ({ name }) => `${name} has no figure`,
    ),
    ...wanted.flatMap(({ row, figure, ours, theirs }) => [
      ...(isMeasured(ours) ? [] : [`${figure}: ours was not measured`]),
      ...(isMeasured(theirs) || OURS_ALONE.includes(row)
        ? []
        : [`${figure}: theirs was not measured`]),
    ]),
  ];
  report(t, {
    figure: 'the benchmark with a hundredth of its jobs',
    result: `${figures.length} figures of ${measured.size} rows`,
    violations,
  });
});

const isMeasured = (side: Summary | undefined): boolean => side !== undefined && side.median > 0;
