/**
 * The part of `npm run check` that no linter knows: the floors, the cycles and the sizes of the house.
 */
import { packagePath } from '../../base/package-path.ts';
import { problemsOf } from './floors.ts';
import { readTree } from './tree.ts';

const problems = problemsOf(readTree(packagePath()));
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
