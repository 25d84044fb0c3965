/**
 * The reporter inside a test file's process: every event of its tests as a line of JSON, for the runner to read.
 */
import type { TestEvent } from 'node:test/reporters';

export interface Told {
  /** `begin` is told at once, the others in the order of the file. */
  kind: 'begin' | 'start' | 'pass' | 'fail' | 'diagnostic';
  /** Of the test, or the text of the diagnostic. */
  text: string;
  nesting: number;
  /** Of a test that ended. */
  durationMs?: number;
  isSuite?: boolean;
  isSkipped?: boolean;
  isTodo?: boolean;
  /** Set when only its subtests have failed. */
  isParent?: boolean;
  error?: string;
}

type Source = AsyncGenerator<TestEvent, void>;

export default async function* report(source: Source): AsyncGenerator<string, void> {
  for await (const event of source) {
    const told = read(event);
    if (told !== undefined) yield `${JSON.stringify(told)}\n`;
  }
}

function read({ type, data }: TestEvent): Told | undefined {
  if (type === 'test:dequeue') return { kind: 'begin', text: data.name, nesting: data.nesting };
  if (type === 'test:start') return { kind: 'start', text: data.name, nesting: data.nesting };
  if (type === 'test:diagnostic') {
    return { kind: 'diagnostic', text: data.message, nesting: data.nesting };
  }
  if (type !== 'test:pass' && type !== 'test:fail') return undefined;
  const { name, nesting, skip, todo } = data;
  const told: Told = {
    kind: type === 'test:pass' ? 'pass' : 'fail',
    text: name,
    nesting,
    durationMs: data.details.duration_ms,
    isSuite: data.details.type === 'suite',
    isSkipped: skip !== undefined && skip !== false,
    isTodo: todo !== undefined && todo !== false,
  };
  if (type === 'test:pass') return told;
  const { error } = data.details;
  return { ...told, isParent: isOfSubtests(error), error: textOf(error) };
}

function isOfSubtests(error: Error): boolean {
  return (error as Error & { failureType?: string }).failureType === 'subtestsFailed';
}

/** What was thrown stands behind the error of the runner. */
function textOf(error: Error): string {
  const { cause } = error;
  if (cause instanceof Error) return cause.stack ?? cause.message;
  return typeof cause === 'string' ? cause : error.message;
}
