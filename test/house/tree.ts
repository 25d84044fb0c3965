/**
 * The source of a tree: its files, and what each of them imports.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface SourceFile {
  /** From the top of the tree, with `/`. */
  file: string;
  lines: number;
  /** Files of the tree it imports, types included. */
  imports: readonly string[];
  /** Packages it imports, by name. */
  packages: readonly string[];
}

const NOT_SOURCE = /^(\.|node_modules$|dist$)/;
/** Of `import`, `export … from` and `import()`. */
const SPECIFIER = /(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)'([^']+)'/gm;

/** Every TypeScript file below `root`, in order. */
export function readTree(root: string): SourceFile[] {
  return filesBelow(root).map((file) => {
    const source = readFileSync(path.join(root, file), 'utf8');
    const specifiers = [...source.matchAll(SPECIFIER)].map(([, specifier]) => specifier!);
    const isRelative = (specifier: string): boolean => specifier.startsWith('.');
    const imports = specifiers
      .filter(isRelative)
      .map((specifier) => path.posix.join(path.posix.dirname(file), specifier));
    const packages = specifiers.filter((specifier) => !isRelative(specifier)).map(packageOf);
    return { file, lines: source.split('\n').length - 1, imports, packages };
  });
}

function filesBelow(root: string, folder = ''): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !NOT_SOURCE.test(name))
    .flatMap((entry) => {
      const name = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(root, name);
      return name.endsWith('.ts') ? [name] : [];
    })
    .toSorted();
}

/** `pg` of `pg/lib/x`, `@scope/name` of `@scope/name/x`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** A circle of imports, types included, for each group of files that import each other; each starts with its first file. */
export function cyclesOf(files: readonly SourceFile[]): string[][] {
  const importsOf = new Map(files.map(({ file, imports }) => [file, imports]));
  const done = new Set<string>();
  const cycles: string[][] = [];
  function visit(file: string, trail: readonly string[]): void {
    const from = trail.indexOf(file);
    if (from >= 0) return void cycles.push([...trail.slice(from), file]);
    if (done.has(file)) return;
    for (const imported of importsOf.get(file) ?? []) visit(imported, [...trail, file]);
    done.add(file);
  }
  for (const { file } of files) visit(file, []);
  return cycles;
}
