/** Compiles a composition to a plan. */
import type { Signature, Step } from '../signature.ts';
import type { Composition } from './composition.ts';
import { Graph } from './graph.ts';
import { orderOf } from './order.ts';
import type { Link, Plan } from './plan.ts';
import { checkTask, invalid, readLink, readList, readPart, readPolicy } from './read.ts';

/** Most composites around a task. */
const MOST_DEPTH = 50;
/** Most uses of `linkError`. */
const MOST_LINKS = 10_000;

/** @throws {AppError} `GRAPH_INVALID` for what is wrong with the composition; payloads and values of options are not looked at. */
export function planOf(composition: Composition): Plan {
  const compiler = new Compiler();
  const output = compiler.add(composition, undefined);
  return { nodes: compiler.graph.nodes, output, links: compiler.links };
}

class Compiler {
  readonly graph = new Graph();
  readonly links: Link[] = [];
  readonly #ids = new Set<string>();

  /**
   * @param before the node that the part follows; undefined if it starts at once.
   * @returns the node with the output of the part.
   */
  add(value: unknown, before: number | undefined, depth = 0): number {
    if (depth > MOST_DEPTH) throw invalid(`Compositions nest at most ${MOST_DEPTH} deep.`);
    const part = readPart(value);
    if (!('shape' in part)) {
      this.#check(part, before !== undefined);
      return this.graph.task(part, before);
    }
    const { shape } = part;
    switch (shape.kind) {
      case 'chain':
        return this.#chain(readList(shape.parts), before, depth + 1);
      case 'group':
        return this.#group(readList(shape.parts), before, depth + 1);
      case 'dag':
        return this.#dag(shape.nodes, before, depth + 1);
      case 'linkError': {
        const first = this.graph.nodes.length;
        const output = this.add(shape.part, before, depth + 1);
        this.#link(first, readLink(shape.signature));
        return output;
      }
      case 'onError': {
        const output = this.add(shape.part, before, depth + 1);
        this.graph.nodes[output]!.onError = readPolicy(shape.policy);
        return output;
      }
    }
  }

  #chain(parts: readonly unknown[], before: number | undefined, depth: number): number {
    let output = before;
    for (const part of parts) output = this.add(part, output, depth);
    if (output === undefined || parts.length === 0) throw invalid('A chain has no parts.');
    return output;
  }

  #group(parts: readonly unknown[], before: number | undefined, depth: number): number {
    const from = this.graph.fork(before, parts.length);
    const outputs = parts.map((part) => this.add(part, from, depth));
    const isAlone = outputs.length === 0 && from !== undefined;
    return this.graph.join(isAlone ? [from] : outputs, outputs);
  }

  #dag(value: unknown, before: number | undefined, depth: number): number {
    const order = orderOf(value);
    const from = this.graph.fork(before, order.filter(({ after }) => after.length === 0).length);
    /** `end` is what the followers follow. */
    const placed = new Map<string, { output: number; end: number }>();
    const join = (names: readonly string[], waitsFor = names): number =>
      this.graph.join(
        waitsFor.map((name) => placed.get(name)!.end),
        names.map((name) => placed.get(name)!.output),
        names,
      );
    const startOf = (after: readonly string[]): number | undefined => {
      const [first, ...others] = after;
      if (first === undefined) return from;
      return others.length === 0 ? placed.get(first)!.end : join(after);
    };
    for (const { name, run, after, followers } of order) {
      const output = this.add(run, startOf(after), depth);
      placed.set(name, { output, end: this.graph.fork(output, followers.length) });
    }
    const last = order.filter(({ followers }) => followers.length === 0).map(({ name }) => name);
    return join(Object.keys(value as object), last);
  }

  #link(first: number, signature: Signature): void {
    this.#check(signature, true);
    if (this.links.length === MOST_LINKS) {
      throw invalid(`A composition has at most ${MOST_LINKS} uses of linkError.`);
    }
    this.links.push({ first, last: this.graph.nodes.length - 1, signature });
  }

  #check(signature: Signature | Step, waits: boolean): void {
    checkTask(signature, waits);
    const { id } = signature.options;
    if (id === undefined) return;
    if (this.#ids.has(id)) throw invalid(`The id ${id} is given to two tasks.`);
    this.#ids.add(id);
  }
}
