/** Reads what may have come from a caller without types, or have been put together by hand. */
import { AppError } from '../../../base/errors.ts';
import type { DurableCallOptions } from '../options.ts';
import type { Signature, Step } from '../signature.ts';
import type { Composite, ErrorPolicy } from './composition.ts';

export function invalid(message: string): AppError {
  return new AppError('GRAPH_INVALID', { message });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isSignature(value: unknown): value is Signature | Step {
  return (
    isObject(value) &&
    isObject(value['task']) &&
    typeof value['task']['name'] === 'string' &&
    isObject(value['options'])
  );
}

const KINDS: readonly unknown[] = ['chain', 'group', 'dag', 'linkError', 'onError'];

/** The lists of a composite are yet to be read. @throws {AppError} `GRAPH_INVALID` */
export function readPart(part: unknown): Signature | Step | Composite {
  if (isSignature(part)) return part;
  const { shape } = isObject(part) ? part : {};
  if (isObject(shape) && KINDS.includes(shape['kind'])) return part as Composite;
  throw invalid('A part is neither a signature nor a composition: call `s` of the task.');
}

/** Work that is to be enqueued. @throws {AppError} `GRAPH_INVALID` for anything else, a step among it */
export function readWork(work: unknown): Signature | Composite {
  const part = readPart(work);
  if ('shape' in part) return part;
  if (isStep(part)) throw lacksBefore(part);
  return part;
}

/** @throws {AppError} `GRAPH_INVALID` */
export function readSignature(work: unknown): Signature {
  const read = readWork(work);
  if ('shape' in read) throw invalid('A composition is enqueued alone, by enqueue.');
  return read;
}

function lacksBefore({ task }: Step): AppError {
  return invalid(`${task.name} takes the result before it, but nothing is before it.`);
}

/** @throws {AppError} `GRAPH_INVALID` */
export function readList(parts: unknown): readonly unknown[] {
  if (!Array.isArray(parts)) throw invalid('The parts of a chain or group must be an array.');
  return [...(parts as unknown[])];
}

/** @throws {AppError} `GRAPH_INVALID` */
export function readPolicy(policy: unknown): ErrorPolicy {
  if (policy === 'fail' || policy === 'continue' || policy === 'ignore') return policy;
  throw invalid("The policy of onError must be 'fail', 'continue' or 'ignore'.");
}

/** @throws {AppError} `GRAPH_INVALID` */
export function readLink(link: unknown): Signature {
  if (isSignature(link) && !isStep(link)) return link;
  throw invalid('linkError takes one signature that can start at once.');
}

export function isStep(signature: Signature | Step): signature is Step {
  return 'takesPrevious' in signature && signature.takesPrevious;
}

/** They decide at the call whether there is a new task, and when it starts. */
const NEVER: readonly (keyof DurableCallOptions)[] = [
  'idempotencyKey',
  'debounceMs',
  'trailing',
  'maxWaitMs',
];
/** They compare a task with others when it is accepted. */
const ONLY_AT_ONCE: readonly (keyof DurableCallOptions)[] = [
  'dedupeKey',
  'uniqueForMs',
  'inputHash',
  'quota',
];

/** @param waits whether something is before the task. @throws {AppError} `GRAPH_INVALID` */
export function checkTask(signature: Signature | Step, waits: boolean): void {
  const { task, options } = signature;
  if (!task.durable) throw invalid(`${task.name} is not durable: only durable tasks compose.`);
  if (isStep(signature) && !waits) throw lacksBefore(signature);
  const refuse = (names: typeof NEVER, why: string): void => {
    const given = names.find((name) => options[name] !== undefined);
    if (given !== undefined) throw invalid(`${task.name} has the option ${given}: ${why}.`);
  };
  refuse(NEVER, 'no task of a composition takes it');
  if (waits) refuse(ONLY_AT_ONCE, 'only a task that starts at once takes it');
}
