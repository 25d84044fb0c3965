/** Resolves paths from the root of this package, for source and compiled code alike: Lua and SQL are read from there. */
import { existsSync } from 'node:fs';
import path from 'node:path';

export function packagePath(...segments: string[]): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return path.join(folder, ...segments);
}
