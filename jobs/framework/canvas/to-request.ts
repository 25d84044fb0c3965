/** Turns a composition into a request for a graph. Everything is checked before anything is written. */
import { createHash, randomUUID } from 'node:crypto';
import type { GraphRequest } from '../../../db/tasks/graphs/request.ts';
import type { AcceptRequest } from '../../../db/tasks/request.ts';
import { problemsOf, type Rule } from '../../../base/options/rules.ts';
import { AppError } from '../../../base/errors.ts';
import { uuidOf } from '../calls/child-id.ts';
import { readCall, type Known } from '../calls/read-call.ts';
import { DURATION, ID, TEXT } from '../options.ts';
import type { Signature, Step } from '../signature.ts';
import { planOf } from './compile.ts';
import type { Composite } from './composition.ts';
import type { Plan } from './plan.ts';

export interface GraphOptions {
  /** A lower-case UUID. The same id and composition identify the same graph. Default: a new id. */
  id?: string | undefined;
  /** External id of the user who makes the request, also for tasks that name none. */
  userId?: string | undefined;
  /** At most one unfinished graph per key. */
  dedupeKey?: string | undefined;
  /** The user's key for the request: a repeat gets the same graph, as long as it is kept. Needs `userId`; excludes `id`. */
  idempotencyKey?: string | undefined;
  /** What a repeat of the key must equal. Default: the composition. */
  keyedRequest?: string | undefined;
  /** Latest end, in milliseconds from now: what has not ended then is revoked. Default: no limit. */
  expiresMs?: number | undefined;
}

const RULES: Record<keyof GraphOptions, Rule> = {
  id: ID,
  userId: TEXT,
  dedupeKey: TEXT,
  idempotencyKey: TEXT,
  keyedRequest: TEXT,
  expiresMs: DURATION,
};

function problemsOfOptions(options: GraphOptions): string[] {
  const { id, userId, idempotencyKey } = options;
  const problems = problemsOf(options, RULES, '');
  if (idempotencyKey !== undefined && (userId === undefined || id !== undefined)) {
    problems.push('idempotencyKey needs userId, and excludes id.');
  }
  return problems;
}

/** @throws {AppError} `GRAPH_INVALID`, `TASK_OPTION_INVALID`, and those of `readCall` for each task. */
export function toGraphRequest(
  composite: Composite,
  options: GraphOptions,
  known: Known,
): GraphRequest {
  const problems = problemsOfOptions(options);
  if (problems.length > 0) {
    throw new AppError('TASK_OPTION_INVALID', { message: problems.join(' ') });
  }
  const { nodes, links, output } = planOf(composite);
  const { userId, dedupeKey, idempotencyKey, keyedRequest, expiresMs } = options;
  const isKeyed = idempotencyKey !== undefined;
  const id = isKeyed
    ? uuidOf(JSON.stringify([userId, idempotencyKey]))
    : (options.id ?? randomUUID());
  const read = (signature: Signature | Step) => {
    const request = readCall(signature, known);
    request.userId ??= userId;
    return request;
  };
  const from = firstBefore(nodes);
  const graph = {
    output,
    tasks: nodes.flatMap((node) => {
      if (node.kind !== 'task') return [];
      const { signature, ...place } = node;
      return [{ ...place, request: read(signature), waits: from[node.node] !== undefined }];
    }),
    junctions: nodes.flatMap((node) =>
      node.kind === 'junction' ? [{ ...node, from: from[node.node] ?? node.node }] : [],
    ),
    links: links.map(({ signature, ...place }) => ({ ...place, request: read(signature) })),
  };
  const digest = (): string => {
    if (isKeyed && keyedRequest !== undefined) return sha256(keyedRequest);
    // No other request has a random id, so its digest is never compared.
    return isKeyed || options.id !== undefined ? digestOf(graph) : '';
  };
  return { id, isKeyed, userId, dedupeKey, expiresMs, digest: digest(), ...graph };
}

/** The first node that leads to each; undefined for one that starts at once. */
function firstBefore(nodes: Plan['nodes']): (number | undefined)[] {
  const first: (number | undefined)[] = nodes.map(() => undefined);
  for (const { node, next } of nodes) {
    for (const after of typeof next === 'number' ? [next] : (next ?? [])) first[after] ??= node;
  }
  return first;
}

/** Of all but the ids that were not chosen. */
function digestOf(graph: Pick<GraphRequest, 'output' | 'tasks' | 'junctions' | 'links'>): string {
  const chosen = <T extends { request: AcceptRequest }>(place: T) => ({
    ...place,
    request: { ...place.request, id: place.request.isChosenId === true ? place.request.id : '' },
  });
  const { tasks, links, ...others } = graph;
  return sha256(JSON.stringify({ ...others, tasks: tasks.map(chosen), links: links.map(chosen) }));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
