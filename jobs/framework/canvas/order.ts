/** Puts the nodes of a dag in an order in which each comes after those it waits for. */
import { didYouMean } from '../../../base/options/closest.ts';
import { isStorable } from '../../../base/options/storable.ts';
import { invalid, isObject } from './read.ts';

export interface OrderedNode {
  readonly name: string;
  readonly run: unknown;
  readonly after: readonly string[];
  /** The nodes that wait for it. */
  readonly followers: readonly OrderedNode[];
}

/** @throws {AppError} `GRAPH_INVALID` for no nodes, one that is none, an edge to nowhere or a cycle. */
export function orderOf(value: unknown): OrderedNode[] {
  const nodes = Object.entries(isObject(value) ? value : {}).map(readNode);
  if (nodes.length === 0) throw invalid('A dag has no nodes.');
  const byName = new Map(nodes.map((node) => [node.name, node]));
  for (const node of nodes) {
    for (const name of node.after) {
      const before = byName.get(name);
      if (before === undefined) {
        const hint = didYouMean(name, [...byName.keys()]);
        throw invalid(`Node ${node.name} of a dag waits for ${name}, which is no node.${hint}`);
      }
      before.followers.push(node);
    }
  }
  return sorted(nodes);
}

function readNode([name, node]: [string, unknown]): OrderedNode & { followers: OrderedNode[] } {
  const { run, after = [] } = isObject(node) ? node : {};
  if (!isStorable(name)) {
    throw invalid('The name of a node has a NUL character or an unpaired surrogate.');
  }
  if (!isNames(after)) throw invalid(`Node ${name} of a dag must list different names as after.`);
  return { name, run, after, followers: [] };
}

function isNames(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.every((name) => typeof name === 'string') &&
    new Set(value).size === value.length
  );
}

function sorted(nodes: readonly OrderedNode[]): OrderedNode[] {
  const waitsFor = new Map(nodes.map((node) => [node, node.after.length]));
  const order = nodes.filter(({ after }) => after.length === 0);
  // The loop also visits what it appends.
  for (const { followers } of order) {
    for (const follower of followers) {
      const left = waitsFor.get(follower)! - 1;
      waitsFor.set(follower, left);
      if (left === 0) order.push(follower);
    }
  }
  if (order.length === nodes.length) return order;
  const stuck = nodes.filter((node) => waitsFor.get(node)! > 0).map(({ name }) => name);
  throw invalid(`The dag has a cycle: look at ${stuck.slice(0, 10).join(', ')}.`);
}
