/**
 * The experiments of test/faults, as their test files say.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packagePath } from '../../../base/package-path.ts';
import type { Size } from '../experiment.ts';

export interface Experiment {
  /** That of its file. */
  name: string;
  /** Its path from the package. */
  file: string;
  /** Its tests, which are sentences. */
  tests: string[];
  sizes: (Size & { name: string; note: string; experiment: string })[];
}

const FOLDER = path.join('test', 'faults');
const ENDING = '.test.ts';

export function findExperiments(): Experiment[] {
  return sources().map(({ file, source }) => ({
    name: path.basename(file, ENDING),
    file,
    tests: testsOf(source),
    sizes: sizesOf(source),
  }));
}

/** Their files, as paths from the package. */
export function experimentFiles(): string[] {
  return sources().map(({ file }) => file);
}

/** Every test file of a room; what lies in the folders of a room tests the harness. By name, in whichever room they are. */
function sources(): { file: string; source: string }[] {
  return readdirSync(packagePath(FOLDER), { withFileTypes: true })
    .filter((room) => room.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(packagePath(FOLDER, name)).map((file) => path.join(FOLDER, name, file)),
    )
    .filter((file) => file.endsWith(ENDING))
    .toSorted((a, b) => path.basename(a).localeCompare(path.basename(b), 'en'))
    .map((file) => ({ file, source: readFileSync(packagePath(file), 'utf8') }));
}

function testsOf(source: string): string[] {
  return [...source.matchAll(/^\s*test\(\s*['"`](.*?)['"`],/gm)].map(([, title]) => title!);
}

/** Read from the calls of `sizesOf`: to run the file would be to make the experiment. */
function sizesOf(source: string): Experiment['sizes'] {
  return [...source.matchAll(/\bsizesOf\(\s*'([\w-]+)',\s*\{([\s\S]*?)\}\s*\)/g)].flatMap(
    ([, experiment, body]) =>
      [
        ...body!.matchAll(
          /(?:\/\*\*\s*([^*]*?)\s*\*\/\s*)?(\w+):\s*\{\s*ci:\s*([\d_]+),\s*full:\s*([\d_]+),?\s*\}/g,
        ),
      ].map(([, note = '', name, ci, full]) => ({
        experiment: experiment!,
        name: name!,
        note,
        ci: numberOf(ci!),
        full: numberOf(full!),
      })),
  );
}

function numberOf(text: string): number {
  return Number(text.replaceAll('_', ''));
}
