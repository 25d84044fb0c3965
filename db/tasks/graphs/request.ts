/** A request for a graph of tasks. Its nodes are numbered from 0; each leads to nodes with larger numbers. */
import type { AcceptRequest } from '../request.ts';

/**
 * What a failed node does to those after it. `fail`: they are skipped; `continue`: they run, with null as its output, and the graph
 * fails in the end; `ignore`: as if its output were null.
 */
export type OnError = 'fail' | 'continue' | 'ignore';

export interface GraphTask {
  node: number;
  request: AcceptRequest;
  /** The node it leads to. */
  next?: number | undefined;
  /** The node whose output it takes. */
  previous?: number | undefined;
  /** Whether a node leads to it, so that it is not dispatched yet. */
  waits: boolean;
  onError: OnError;
}

/** A node without a task: done once all nodes that lead to it have ended. */
export interface GraphJunction {
  node: number;
  /** The first node that leads to it; itself if none does. */
  from: number;
  next: readonly number[];
  /** Nodes whose outputs are its own, in order. */
  inputs: readonly number[];
  /** Keys of the outputs, if they form an object. */
  names?: readonly string[] | undefined;
  /** Whether the output is that of its only input, not a list. */
  passes: boolean;
  onError: OnError;
}

/** A task to be enqueued once if one of the nodes `first` to `last` fails. */
export interface GraphLink {
  first: number;
  last: number;
  request: AcceptRequest;
}

export interface GraphRequest {
  /** A UUID. */
  id: string;
  /** Whether the id stands for the user's Idempotency-Key. */
  isKeyed: boolean;
  userId?: string | undefined;
  /** At most one unfinished graph per key. */
  dedupeKey?: string | undefined;
  /** A request with the same id and digest is the same one. Empty for a random id, which no other request has. */
  digest: string;
  /** The node whose output is the result. */
  output: number;
  /** Latest end, in milliseconds from now. Default: no limit. */
  expiresMs?: number | undefined;
  tasks: readonly GraphTask[];
  junctions: readonly GraphJunction[];
  links: readonly GraphLink[];
}

export interface AcceptedGraph {
  id: string;
  /** `created`; `repeated`: the same id and digest; `unfinished`: an unfinished graph has its dedupe key. */
  outcome: 'created' | 'repeated' | 'unfinished';
}

/** What a dispatch needs to know of a task that may run now. */
export interface ReleasedTask {
  id: string;
  name: string;
  queue: string;
  priority: number;
  payload: string;
  headers?: Record<string, string> | undefined;
  /** Milliseconds until it may start. */
  delayMs: number;
  /** Milliseconds until it must no longer start. */
  expiresMs?: number | undefined;
}
