/**
 * Loads several test files into one process, which runs their tests one after the other. Before those of each file comes one
 * that tells whose they are: where a test was written says nothing, as helpers define many.
 */
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ANNOUNCES } from './announces.ts';

for (const file of process.argv.slice(2)) {
  void test(`${ANNOUNCES}${file}`, () => undefined);
  await import(pathToFileURL(file).href);
}
