/** What a composition comes to, read from its shape: the slow definition that graphs in Postgres are compared with. */
import type { AnyPart, DagNode, ErrorPolicy } from '../../../jobs/framework/canvas/composition.ts';
import type { Signature, Step } from '../../../jobs/framework/signature.ts';
import { resultOf } from './compositions.ts';
import type { Given, Told } from './played.ts';

/** How a part ends, or what is before one. */
interface End {
  blocks: boolean;
  value: unknown;
  /** What has ended by then. */
  tasks: readonly string[];
}

export class Reference {
  readonly tasks = new Map<string, Told>();
  /** Tasks of links that are stored. */
  readonly links = new Set<string>();
  readonly status: 'done' | 'error';
  readonly result: unknown;
  readonly #given: Given;
  #continued = false;

  constructor(composition: AnyPart, given: Given) {
    this.#given = given;
    const { blocks, value } = this.#run(composition, {
      blocks: false,
      value: undefined,
      tasks: [],
    });
    this.status = blocks || this.#continued ? 'error' : 'done';
    this.result = value;
  }

  /** @param policy that of an `onError` around the part: the outermost counts. */
  #run(part: AnyPart, before: End, policy?: ErrorPolicy): End {
    if (!('shape' in part)) return this.#task(part, before, policy);
    const { shape } = part;
    switch (shape.kind) {
      case 'chain': {
        const last = shape.parts.length - 1;
        const pass = (end: End, each: AnyPart, at: number): End =>
          this.#run(each, end, at === last ? policy : undefined);
        return shape.parts.reduce<End>(pass, before);
      }
      case 'group': {
        const ends = shape.parts.map((each) => this.#run(each, before));
        const values = ends.map(({ value }) => value);
        return this.#join(ends.length === 0 ? [before] : ends, values, policy);
      }
      case 'dag':
        return this.#dag(shape.nodes, before, policy);
      case 'linkError': {
        const others = new Set(this.tasks.keys());
        const end = this.#run(shape.part, before, policy);
        const own = [...this.tasks].filter(([id]) => !others.has(id));
        const hasFailed = own.some(([, { status }]) => status === 'error' || status === 'revoked');
        if (hasFailed) this.links.add(shape.signature.options.id!);
        return end;
      }
      case 'onError':
        return this.#run(shape.part, before, policy ?? shape.policy);
    }
  }

  #task(task: Signature | Step, before: End, policy: ErrorPolicy | undefined): End {
    const { numbers, failing, revoked, kept } = this.#given;
    const id = task.options.id!;
    const previous = 'takesPrevious' in task ? before.value : undefined;
    const status = (): Told['status'] => {
      if (kept.has(id)) return 'done';
      if (revoked.has(id)) return 'revoked';
      if (before.blocks) return 'skipped';
      return failing.has(id) ? 'error' : 'done';
    };
    const result = kept.has(id) ? kept.get(id) : resultOf(numbers.get(id)!, previous);
    const told: Told = { status: status(), result, previous, after: before.tasks };
    this.tasks.set(id, told);
    return this.#end(told.status === 'done', result, [id], policy);
  }

  #dag(nodes: Readonly<Record<string, DagNode>>, before: End, policy?: ErrorPolicy): End {
    const ends = new Map<string, End>();
    const named = (names: readonly string[]): unknown =>
      Object.fromEntries(names.map((name) => [name, endOf(name).value]));
    const startOf = (after: readonly string[]): End => {
      if (after.length === 0) return before;
      return after.length === 1 ? endOf(after[0]!) : this.#join(after.map(endOf), named(after));
    };
    const endOf = (name: string): End => {
      const { run, after = [] } = nodes[name]!;
      if (!ends.has(name)) ends.set(name, this.#run(run, startOf(after)));
      return ends.get(name)!;
    };
    const names = Object.keys(nodes);
    const results = named(names);
    const isLast = (name: string) => !names.some((other) => nodes[other]!.after?.includes(name));
    return this.#join(names.filter(isLast).map(endOf), results, policy);
  }

  #join(ends: readonly End[], value: unknown, policy?: ErrorPolicy): End {
    const tasks = [...new Set(ends.flatMap((end) => end.tasks))];
    return this.#end(!ends.some(({ blocks }) => blocks), value, tasks, policy);
  }

  #end(isOk: boolean, value: unknown, tasks: string[], policy: ErrorPolicy = 'fail'): End {
    if (!isOk && policy === 'continue') this.#continued = true;
    return { blocks: !isOk && policy === 'fail', value: isOk ? value : null, tasks };
  }
}
