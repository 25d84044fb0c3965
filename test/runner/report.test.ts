import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Told } from './events.ts';
import { Report, type FileResult } from './report.ts';
import { unitsOf } from './units.ts';

const begin = (text: string, nesting = 0): Told => ({ kind: 'begin', text, nesting });
const start = (text: string, nesting = 0): Told => ({ kind: 'start', text, nesting });
const pass = (text: string, nesting = 0): Told => ({ kind: 'pass', text, nesting });
const fail = (text: string, error: string, nesting = 0): Told => ({
  kind: 'fail',
  text,
  nesting,
  error,
});

function told(events: Told[], ending: Partial<FileResult> = {}) {
  const lines: string[] = [];
  const report = new Report(
    (line) => lines.push(line),
    (file, name) => `again ${file} ${name ?? ''}`,
  );
  const result = { file: 'a.test.ts', told: events, output: '', ended: 0, hung: false };
  report.add({ ...result, durationMs: 1200, ...ending }, '1/1');
  report.failures();
  return { counts: report.counts, text: lines.join('\n') };
}

test('a file that passes is one line with its numbers', () => {
  const { counts, text } = told([start('one'), pass('one'), { ...pass('two'), isSkipped: true }]);
  assert.deepEqual(counts, { passed: 1, failed: 0, skipped: 1 });
  assert.equal(text, '1/1  a.test.ts  1 passed, 0 failed, 1 skipped, 1.2 s');
});

test('a failure is told with the names around it, its diagnostics and the command that repeats it', () => {
  const { counts, text } = told([
    start('outer'),
    start('inner', 1),
    fail('inner', 'Error: no\n    at node:internal/x', 1),
    { kind: 'diagnostic', text: 'seed 12', nesting: 1 },
    { ...fail('outer', 'a subtest failed'), isParent: true },
  ]);
  assert.equal(counts.failed, 2);
  assert.match(
    text,
    /FAILED a\.test\.ts > outer > inner\n {2}seed 12\n {2}Error: no\n {2}Again: again a\.test\.ts outer$/,
  );
  assert.doesNotMatch(text, /node:internal|a subtest failed/);
});

test('a file that ends outside of its tests has failed, with what it printed', () => {
  const { counts, text } = told([], { ended: 'SIGSEGV', output: 'last words' });
  assert.equal(counts.failed, 1);
  assert.match(text, /It ended with SIGSEGV\.\n {2}last words/);
});

test('a file that hangs is told with the test that was under way', () => {
  const { counts, text } = told([begin('first'), start('first'), pass('first'), begin('second')], {
    hung: true,
    ended: 'SIGTERM',
  });
  assert.equal(counts.failed, 1);
  assert.match(text, /FAILED a\.test\.ts > second\n {2}It hung\./);
});

test('small files run in one process, those that change the process each in their own, the longest first', () => {
  const small = ['broken', 'numbers'].map((name) => `test/jobs/queue/lua/${name}.test.ts`);
  const withEnvironment = 'test/base/service.test.ts';
  const durations = { [small[0]!]: 500, [small[1]!]: 700, [withEnvironment]: 900 };
  assert.deepEqual(unitsOf([withEnvironment, ...small], durations), [
    { files: small, expectedMs: 1200 },
    { files: [withEnvironment], expectedMs: 900 },
  ]);
  // A helper with hooks serves one file of a process.
  const helped = ['sweep', 'update'].map((name) => `test/jobs/embeddings/${name}.test.ts`);
  assert.equal(unitsOf(helped, {}).length, 2);
  const [slow] = unitsOf(small, { [small[0]!]: 60_000, [small[1]!]: 700 });
  assert.deepEqual(slow, { files: [small[0]], expectedMs: 60_000 });
});
