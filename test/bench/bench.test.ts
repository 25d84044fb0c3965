import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { packagePath } from '../../base/package-path.ts';
import { HANG_MS } from '../support/patience.ts';
import type { Report } from './report.ts';

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function bench(...args: string[]): Promise<Ended> {
  const run = packagePath('dist', 'test', 'bench', 'run.js');
  try {
    const ended = await promisify(execFile)(process.execPath, [run, ...args], { timeout: HANG_MS });
    return { code: 0, ...ended };
  } catch (error) {
    return error as Ended;
  }
}

test('one row of the benchmark measures both sides and prints JSON', async () => {
  const args = ['--rows', 'add-awaited', '--rounds', '1', '--scale', '0.01', '--json', '-'];
  const { code, stdout, stderr } = await bench(...args);
  assert.equal(code, 0, stderr);
  const { machine, figures, failures } = JSON.parse(stdout) as Report;
  assert.deepEqual(failures, []);
  assert.equal(machine.node, process.version);
  const [figure] = figures;
  assert.equal(figure?.row, 'add-awaited');
  assert.ok(figure.ours!.median > 0);
  assert.ok(figure.theirs!.median > 0);
  assert.equal(figure.ratio, figure.ours!.median / figure.theirs!.median);
  assert.equal(figure.verdict, figure.ratio >= figure.target!.must ? 'ok' : 'short');
});

test('an unknown option or row is refused with what there is', async () => {
  const option = await bench('--fast');
  assert.equal(option.code, 2);
  assert.match(option.stderr, /'--fast'[^]*--quick/);
  const row = await bench('--rows', 'drain-5');
  assert.equal(row.code, 2);
  assert.match(row.stderr, /There is no row "drain-5"\. Did you mean drain-50\?/);
});

test('the list names every row of docs/benchmarks.md and measures nothing', async () => {
  const { code, stdout } = await bench('--list');
  assert.equal(code, 0);
  const text = await readFile(packagePath('docs', 'benchmarks.md'), 'utf8');
  const described = text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => line.split('|')[1]!.match(/[\w-]+/g)!);
  const listed = [...stdout.matchAll(/^\S+/gm)].map(([name]) => name);
  assert.deepEqual(listed.toSorted(), described.toSorted());
});
