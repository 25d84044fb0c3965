/**
 * Loads several test files into one process, which runs them one after the other: each is a suite, so that its hooks are its own.
 */
import { describe } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ANNOUNCES } from './announces.ts';

for (const file of process.argv.slice(2)) {
  void describe(`${ANNOUNCES}${file}`, async () => {
    await import(pathToFileURL(file).href);
  });
}
