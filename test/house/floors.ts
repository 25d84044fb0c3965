/**
 * The rooms of the house, from the ground up: what each may import beside itself. See ARCHITECTURE.md.
 */
import { cyclesOf, type SourceFile } from './tree.ts';

/** Most lines of a file, and most files and folders in a folder. */
const MOST_LINES = 250;
const MOST_SIBLINGS = 14;

const QUEUE = 'jobs/queue/index.ts';
const POSTGRES = 'db/stores/postgres.ts';
const UNAVAILABLE = 'db/stores/unavailable.ts';
const DOMAIN = ['jobs/define.ts', 'jobs/resources.ts', 'jobs/common'];
const FEATURE = [...DOMAIN, 'jobs/llm', 'jobs/framework', 'db/daodao', 'db/llm', 'base'];
const FEATURES = ['jobs/feedback', 'jobs/embeddings', 'jobs/recommendations'];
/** What runs tasks knows nothing of DaoDao. */
const MACHINERY = ['jobs/framework', QUEUE, 'db/tasks', 'db/stores', 'base'];
const API_QUEUE = ['api/http', 'api/tasks', ...MACHINERY];
const API_DAODAO = [
  ...API_QUEUE,
  'api/context.ts',
  'api/recommendations',
  'jobs',
  ...FEATURES,
  'db/daodao',
];
const EVERYTHING = [''];

/** By folder or file; the longest path that fits a file is its room. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],

  'db/stores': ['base'],
  'db/embedded': ['db/embedded', 'db/stores', 'base'],
  'db/embedded/host': ['base'],
  'db/embedded/clickhouse': ['db/embedded/host', 'base'],
  'db/embedded/coach': ['db/embedded/host', 'base'],
  'db/embedded/postgres': ['db/embedded/host', 'base'],
  'db/embedded/redis': ['db/embedded/host', 'base'],
  'db/embedded/vectors': ['db/embedded/host', 'base'],

  'db/tasks': ['db/stores', 'base'],
  'db/daodao': ['db/stores', 'base'],
  'db/llm': ['db/stores', 'base'],
  'db/seed': ['db/daodao', 'db/tasks', 'db/stores', 'base'],

  'jobs/queue': ['base'],
  'jobs/framework': [QUEUE, 'db/tasks', POSTGRES, UNAVAILABLE, 'base'],
  'jobs/llm': ['jobs/framework/errors.ts', 'db/llm', 'base'],
  'jobs/feedback': FEATURE,
  'jobs/embeddings': FEATURE,
  'jobs/recommendations': FEATURE,
  jobs: [...FEATURES, 'jobs/llm', 'jobs/framework', 'db/daodao', 'db/stores', 'base'],

  'workers/main': ['workers/protocol.ts', 'workers/retry-decision.ts', ...MACHINERY],
  'workers/thread': ['workers/protocol.ts', 'workers/retry-decision.ts', ...MACHINERY],
  'workers/testing': [
    'workers/main/settle.ts',
    'workers/thread',
    'workers/protocol.ts',
    ...MACHINERY,
  ],
  workers: MACHINERY,
  scheduler: MACHINERY,

  'api/http': MACHINERY,
  'api/operations': API_QUEUE,
  'api/tasks': API_QUEUE,
  'api/schedules': API_QUEUE,
  'api/feedback': API_DAODAO,
  'api/recommendations': API_DAODAO,
  'api/events': API_DAODAO,
  'api/internal': API_DAODAO,
  api: ['api', ...MACHINERY, 'jobs'],

  cli: EVERYTHING,
  'app.ts': EVERYTHING,
  'main.ts': EVERYTHING,
  'thread.ts': EVERYTHING,
  test: EVERYTHING,
};

/** Packages that these rooms alone import; tests may import all. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  piscina: ['workers'],
  openai: ['jobs/llm/openai'],
  tlds: ['jobs/feedback'],
  'opencc-js': ['jobs/feedback'],
  '@qdrant/js-client-rest': ['db/stores'],
  '@clickhouse/client': ['db/stores'],
  pg: ['db/stores', 'db/embedded/postgres'],
  ioredis: ['base/redis', 'db/embedded/redis'],
  fastify: ['api'],
  'fast-jwt': ['api/http'],
  esbuild: ['cli/bundle.ts'],
  'node:test': ['test'],
};

/** Not source, or entered by nobody else. */
const PRIVATE: Readonly<Record<string, readonly string[]>> = {
  test: ['test'],
  'db/embedded': ['db/embedded', 'cli', 'main.ts', 'test'],
};

const isIn = (file: string, room: string): boolean =>
  room === '' || file === room || file.startsWith(`${room}/`);

function roomOf(file: string): string | undefined {
  const fitting = Object.keys(ROOMS).filter((room) => isIn(file, room));
  return fitting.toSorted((a, b) => b.length - a.length)[0];
}

/** One sentence for each rule that a file breaks. */
export function problemsOf(files: readonly SourceFile[]): string[] {
  const problems = files.flatMap((source) => problemsOfFile(source));
  for (const cycle of cyclesOf(files)) problems.push(`${cycle.join(' imports ')}: a cycle.`);
  for (const [folder, count] of siblings(files)) {
    if (count > MOST_SIBLINGS) {
      problems.push(`${folder} has ${count} files and folders: at most ${MOST_SIBLINGS} fit.`);
    }
  }
  return problems;
}

function problemsOfFile({ file, lines, imports, packages }: SourceFile): string[] {
  const room = roomOf(file);
  if (room === undefined) return [`${file} is in no room of test/house/floors.ts.`];
  const problems = imports
    .filter((imported) => !mayImport(file, room, imported))
    .map((imported) => `${file} imports ${imported}: ${room} may not.`);
  for (const name of packages) {
    const home = HOMES[name];
    if (home !== undefined && room !== 'test' && !home.some((place) => isIn(file, place))) {
      problems.push(`${file} imports ${name}, which belongs to ${home.join(' and ')}.`);
    }
  }
  if (lines > MOST_LINES) {
    problems.push(`${file} has ${lines} lines: at most ${MOST_LINES} fit.`);
  }
  return problems;
}

function mayImport(file: string, room: string, imported: string): boolean {
  const guarded = Object.entries(PRIVATE).filter(([folder]) => isIn(imported, folder));
  if (guarded.some(([, guests]) => !guests.some((guest) => isIn(file, guest)))) return false;
  return roomOf(imported) === room || ROOMS[room]!.some((allowed) => isIn(imported, allowed));
}

/** How many files and folders each folder has, but for the house itself and for test/, which has the same rooms and its runner. */
function siblings(files: readonly SourceFile[]): Map<string, number> {
  const children = new Map<string, Set<string>>();
  for (const { file } of files) {
    const parts = file.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join('/');
      if (folder === 'test') continue;
      const names = children.get(folder) ?? new Set();
      children.set(folder, names.add(parts[depth]!));
    }
  }
  return new Map([...children].map(([folder, names]) => [folder, names.size]));
}
