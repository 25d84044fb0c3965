/** The flat form of a composition: tasks, and junctions where several meet or part. */
import type { Signature, Step } from '../signature.ts';
import type { ErrorPolicy } from './composition.ts';

export interface PlannedTask {
  kind: 'task';
  node: number;
  signature: Signature | Step;
  /** Undefined only for the output of the plan. */
  next: number | undefined;
  /** The node whose output it takes as `previous`. */
  previous: number | undefined;
  onError: ErrorPolicy;
}

/** Waits for every node whose `next` is this one, then lets its own next ones go. */
export interface Junction {
  kind: 'junction';
  node: number;
  next: number[];
  /** The nodes whose outputs make up its own, in order. In a dag, some end before those that it waits for. */
  inputs: number[];
  /** Its output is an object with these keys. */
  names?: string[];
  /** Its output is that of its only input, not a list. */
  passes: boolean;
  onError: ErrorPolicy;
}

/** Enqueues `signature` once if anything from node `first` to node `last` fails. */
export interface Link {
  first: number;
  last: number;
  signature: Signature;
}

/** The number of a node is its index; the nodes of each part follow one another. A task has at most one `next`. */
export interface Plan {
  nodes: (PlannedTask | Junction)[];
  /** The node whose output is the result. */
  output: number;
  /** Inner ones first. */
  links: Link[];
}
