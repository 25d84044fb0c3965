/**
 * The scripts, each assembled from fragments so that a rule is written once. The last fragment of a script is in `lua/client/`
 * or `lua/worker/`, according to its caller; the others are in `lua/parts/`.
 */
import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packagePath } from '../../../base/package-path.ts';

const PLACE = ['defer', 'hand', 'share', 'timers', 'place'] as const;

/** Every writing script but `enqueue` has `allow-oom`, so that running jobs can finish when Redis is out of memory. */
const RECIPES = {
  enqueue: ['', 'prelude', 'types', ...PLACE, 'store', 'enqueue'],
  step: [
    'allow-oom',
    'prelude',
    'types',
    ...PLACE,
    'ration',
    'promote',
    'retain',
    'expire_failed',
    'held',
    'complete',
    'give_back',
    'announce',
    'pop',
    'claim',
    'idle',
    'memo',
    'serve',
    'step',
  ],
  renew: [
    'allow-oom',
    'prelude',
    'types',
    ...PLACE,
    'ration',
    'promote',
    'retain',
    'expire_failed',
    'serve',
    'renew',
  ],
  reap: ['allow-oom', 'prelude', 'types', ...PLACE, 'idle', 'reap'],
  resync: ['allow-oom', 'prelude', 'types', 'resync'],
  leased: ['no-writes', 'prelude', 'ration', 'leased'],
  leave: ['allow-oom', 'prelude', 'types', ...PLACE, 'idle', 'leave'],
  progress: ['allow-oom', 'prelude', 'progress'],
  mark: ['allow-oom', 'prelude', 'mark'],
  revoke: ['allow-oom', 'prelude', 'types', 'once', 'retain', 'announce', 'end', 'revoke'],
  requeue: ['allow-oom', 'prelude', 'types', 'once', ...PLACE, 'requeue'],
  reschedule: ['allow-oom', 'prelude', 'types', 'once', 'defer', 'timers', 'reschedule'],
  command: ['allow-oom', 'prelude', 'types', 'once', 'command'],
  reply: ['allow-oom', 'prelude', 'reply'],
  pause: ['allow-oom', 'prelude', 'types', 'once', 'hand', 'share', 'pause'],
  purge: ['allow-oom', 'prelude', 'types', 'once', 'ration', 'retain', 'purge'],
  remove: ['allow-oom', 'prelude', 'types', 'once', 'remove'],
  describe: ['allow-oom', 'prelude', 'describe'],
  overview: ['no-writes', 'prelude', 'overview'],
  status: ['no-writes', 'prelude', 'ration', 'status'],
  tally: ['no-writes', 'prelude', 'tally'],
  turn: ['allow-oom', 'prelude', 'turn'],
  page: ['no-writes', 'prelude', 'page'],
  repair: ['allow-oom', 'prelude', 'types', ...PLACE, 'retain', 'ended', 'places', 'repair'],
} as const satisfies Record<string, readonly string[]>;

const FOLDER = packagePath('jobs', 'queue', 'lua');
/** Path below `FOLDER` by fragment name. */
const FILES: ReadonlyMap<string, string> = new Map(
  readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.lua'))
    .map((file) => [path.basename(file, '.lua'), file]),
);

export type ScriptName = keyof typeof RECIPES;

interface Script {
  source: string;
  sha: string;
}

function build(name: ScriptName): Script {
  const [flags, ...fragments] = RECIPES[name];
  const shebang = flags === '' ? '#!lua' : `#!lua flags=${flags}`;
  const parts = fragments.map((part) => readFileSync(path.join(FOLDER, FILES.get(part)!), 'utf8'));
  const source = [shebang, ...parts].join('\n');
  return { source, sha: hash('sha1', source, 'hex') };
}

const built = new Map<ScriptName, Script>();

export function script(name: ScriptName): Script {
  let found = built.get(name);
  if (found === undefined) built.set(name, (found = build(name)));
  return found;
}
