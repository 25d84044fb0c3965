/** The nodes of a plan under construction. */
import type { Signature, Step } from '../signature.ts';
import type { Junction, PlannedTask } from './plan.ts';
import { invalid, isStep } from './read.ts';

/** Most tasks of a composition. */
const MOST_MEMBERS = 20_000;
/** Most pairs of a node and its next one, which bounds the junctions too. */
const MOST_EDGES = 100_000;

export class Graph {
  readonly nodes: (PlannedTask | Junction)[] = [];
  #tasks = 0;
  #edges = 0;

  /** @returns the new node, like `fork` and `join`. */
  task(signature: Signature | Step, before: number | undefined): number {
    if (++this.#tasks > MOST_MEMBERS) {
      throw invalid(`A composition has at most ${MOST_MEMBERS} tasks.`);
    }
    const node = this.nodes.length;
    const previous = isStep(signature) ? before : undefined;
    this.nodes.push({ kind: 'task', node, signature, next: undefined, previous, onError: 'fail' });
    if (before !== undefined) this.#connect(before, node);
    return node;
  }

  /** Lets `count` parts follow a node: only a task, which has one `next`, needs a junction for that. */
  fork<B extends number | undefined>(before: B, count: number): B | number {
    if (before === undefined || count < 2 || this.nodes[before]!.kind === 'junction') return before;
    const node = this.#junction([before], true);
    this.#connect(before, node);
    return node;
  }

  join(waitsFor: readonly number[], inputs: number[], names?: readonly string[]): number {
    const node = this.#junction(inputs, false, names);
    for (const before of waitsFor) this.#connect(before, node);
    return node;
  }

  #junction(inputs: number[], passes: boolean, names?: readonly string[]): number {
    const node = this.nodes.length;
    const named = names === undefined ? {} : { names: [...names] };
    this.nodes.push({
      kind: 'junction',
      node,
      next: [],
      inputs,
      ...named,
      passes,
      onError: 'fail',
    });
    return node;
  }

  #connect(before: number, after: number): void {
    if (++this.#edges > MOST_EDGES) {
      throw invalid(`A composition has at most ${MOST_EDGES} connections.`);
    }
    const node = this.nodes[before]!;
    if (node.kind === 'task') node.next = after;
    else node.next.push(after);
  }
}
