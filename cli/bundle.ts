/**
 * The second step of a build: each package that every process or thread loads becomes one file in `dist/node_modules`, where compiled code
 * finds it before the installed one. Typebox alone is 700 modules: one by one they take 0.5 s of processor time and 25 MB.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { packagePath } from '../base/package-path.ts';

/** What is imported of each. Piscina and pino stay as they are: both start threads from files of their own. */
const BUNDLED: Readonly<Record<string, readonly string[]>> = {
  '@clickhouse/client': ['.'],
  '@qdrant/js-client-rest': ['.'],
  'fast-jwt': ['.'],
  fastify: ['.'],
  ioredis: ['.'],
  openai: ['.'],
  pg: ['.'],
  'prom-client': ['.'],
  typebox: ['.', './compile', './schema', './value'],
};

const fileOf = (entry: string): string => (entry === '.' ? 'index' : entry.slice(2));

async function bundle(name: string, entries: readonly string[]): Promise<void> {
  const folder = packagePath('dist', 'node_modules', name);
  const description = path.join(folder, 'package.json');
  const installed = await readFile(packagePath('node_modules', name, 'package.json'), 'utf8');
  const { version } = JSON.parse(installed) as { version: string };
  const exports = Object.fromEntries(entries.map((entry) => [entry, `./${fileOf(entry)}.js`]));
  const text = JSON.stringify({ name, version, type: 'module', exports });
  if ((await readFile(description, 'utf8').catch(() => '')) === text) return;

  await rm(folder, { recursive: true, force: true });
  // Outside, so that its sources find the installed package; complete before it counts.
  const making = packagePath('dist', '.bundle', name);
  const sources: Record<string, string> = {};
  await mkdir(making, { recursive: true });
  for (const entry of entries) {
    const source = path.join(making, `${fileOf(entry)}.source.mjs`);
    await writeFile(source, await exportsOf(path.posix.join(name, entry)));
    sources[fileOf(entry)] = source;
  }
  // Loaded only when something is to be built, as every command of npm comes by here.
  const { build } = await import('esbuild');
  await build({
    entryPoints: sources,
    outdir: making,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    external: ['pg-native'],
    // CommonJS modules inside require Node's own.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  });
  await writeFile(path.join(making, 'package.json'), text);
  await mkdir(path.dirname(folder), { recursive: true });
  await rename(making, folder);
}

/** By name, as esbuild cannot see the names of a CommonJS module. */
async function exportsOf(specifier: string): Promise<string> {
  const names = Object.keys((await import(specifier)) as object);
  const exported = names.filter((name) => name !== 'module.exports');
  return `export { ${exported.join(', ')} } from '${specifier}';\n`;
}

await Promise.all(Object.entries(BUNDLED).map(([name, entries]) => bundle(name, entries)));
