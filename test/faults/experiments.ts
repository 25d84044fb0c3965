/**
 * The experiments of this folder, as their test files say.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packagePath } from '../../package-path.ts';
import type { Size } from './experiment.ts';

export interface Experiment {
  /** That of its file. */
  name: string;
  /** Its tests, which are sentences. */
  tests: string[];
  sizes: (Size & { name: string; note: string; experiment: string })[];
}

const ENDING = '.test.ts';

export function findExperiments(): Experiment[] {
  const folder = packagePath('test', 'faults');
  return readdirSync(folder)
    .filter((file) => file.endsWith(ENDING))
    .toSorted()
    .map((file) => ({ file, source: readFileSync(path.join(folder, file), 'utf8') }))
    .filter(({ source }) => source.includes(`from './experiment.ts'`))
    .map(({ file, source }) => ({
      name: file.slice(0, -ENDING.length),
      tests: testsOf(source),
      sizes: sizesOf(source),
    }));
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
