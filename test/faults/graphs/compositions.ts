/** Random compositions of tasks, each with an id of its own. */
import { createHash, randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { chain, group, linkError, onError } from '../../../jobs/framework/canvas/combinators.ts';
import type { AnyPart, Composite } from '../../../jobs/framework/canvas/composition.ts';
import { dag } from '../../../jobs/framework/canvas/dag.ts';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Signature, Step } from '../../../jobs/framework/signature.ts';
import { Tasks } from '../../../jobs/framework/tasks.ts';
import type { Chance } from './chance.ts';

const run = async (): Promise<never> => {
  throw new Error('The player runs it.');
};
const n = Type.Integer();
const result = Type.String();
export const plain = defineTask({ name: 'plain', payload: Type.Object({ n }), result, run });
export const taking = defineTask({
  name: 'taking',
  payload: Type.Object({ n, previous: Type.Unknown() }),
  result,
  run,
});

export const KNOWN = { tasks: new Tasks([plain, taking]), queues: [] };

export interface Drawn {
  composition: Composite;
  /** Numbers of all tasks by id, also of those of links. */
  numbers: ReadonlyMap<string, number>;
  /** Ids of those that fail for good. */
  failing: Set<string>;
  /** Whether it has tasks of links. */
  hasLinks: boolean;
  /** Ids of those that another request may do the work of. */
  keyed: readonly string[];
}

/** Short, and different for every task and `previous`. */
export function resultOf(number: number, previous: unknown): string {
  const text = JSON.stringify([number, previous]);
  return `${number}:${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
}

/** @param most tasks, about. */
export function drawComposition(chance: Chance, most: number): Drawn {
  const numbers = new Map<string, number>();
  const failing = new Set<string>();
  const keyed: string[] = [];
  let hasLinks = false;
  /** How many in a hundred fail. */
  const share = chance.pick([0, 10, 20, 35]);
  const options = () => {
    const id = randomUUID();
    numbers.set(id, numbers.size);
    if (chance.isIn100(share)) failing.add(id);
    return { id };
  };
  const source = (): Signature => plain.s({ n: numbers.size }, options());
  const root = (): Signature => {
    if (!chance.isIn100(15)) return source();
    const { id } = options();
    keyed.push(id);
    return plain.s({ n: numbers.get(id)! }, { id, dedupeKey: id });
  };
  const task = (follows: boolean): AnyPart => {
    if (!follows) return root();
    return chance.isIn100(70) ? taking.s({ n: numbers.size }, options()) : source();
  };
  const several = (least: number, many: number): number[] =>
    Array.from({ length: least + chance.integer(many - least + 1) }, (_, index) => index);

  function part(follows: boolean, depth: number): AnyPart {
    if (depth === 0 || numbers.size >= most || chance.isIn100(25)) return task(follows);
    const inner = (after = follows): AnyPart => part(after, depth - 1);
    switch (chance.pick(['chain', 'chain', 'group', 'group', 'dag', 'linkError', 'onError'])) {
      case 'chain':
        return chain(...(several(1, 4).map((at) => inner(follows || at > 0)) as Signature[]));
      case 'group':
        return group(several(chance.isIn100(10) ? 0 : 1, 4).map(() => inner()));
      case 'linkError':
        hasLinks = true;
        return linkError(inner(), source());
      case 'onError':
        return onError(inner(), chance.pick(['fail', 'continue', 'ignore']));
      case 'dag':
        return drawDag(inner, follows);
    }
  }
  function drawDag(inner: (follows: boolean) => AnyPart, follows: boolean): AnyPart {
    const nodes = several(1, 5).map((at) => {
      const before = several(0, Math.min(at, 3)).map(() => chance.integer(at));
      const after = at === 0 ? [] : [...new Set(before)].map((index) => `n${index}`);
      return [`n${at}`, { run: inner(follows || after.length > 0), after }] as const;
    });
    return dag(Object.fromEntries(nodes) as never) as AnyPart;
  }

  const first = chance.isIn100(50) ? [] : [root()];
  const parts = [
    ...first,
    part(first.length > 0, 4),
    ...(chance.isIn100(50) ? [part(true, 2)] : []),
  ];
  const composition = chain<Signature[]>(...(parts as Signature[]));
  return { composition, numbers, failing, hasLinks, keyed };
}

/** As in `chain(0, group(1!, >2))`: `!` fails, `>` takes what is before it. */
export function describe(
  part: AnyPart,
  { numbers, failing }: Pick<Drawn, 'numbers' | 'failing'>,
): string {
  const name = (task: Signature | Step): string => {
    const id = task.options.id!;
    const takes = 'takesPrevious' in task ? '>' : '';
    return `${takes}${numbers.get(id)}${failing.has(id) ? '!' : ''}`;
  };
  const text = (each: AnyPart): string => {
    if (!('shape' in each)) return name(each);
    const { shape } = each;
    if ('parts' in shape) return `${shape.kind}(${shape.parts.map(text).join(', ')})`;
    if (shape.kind === 'linkError')
      return `linkError(${text(shape.part)}, ${name(shape.signature)})`;
    if (shape.kind === 'onError') return `${shape.policy}(${text(shape.part)})`;
    const nodes = Object.entries(shape.nodes).map(
      ([key, { run: work, after = [] }]) => `${key} after [${after.join()}]: ${text(work)}`,
    );
    return `dag(${nodes.join(', ')})`;
  };
  return text(part);
}
