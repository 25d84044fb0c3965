import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { AcceptedGraph } from '../../db/tasks/graphs/request.ts';
import type { Accepted } from '../../db/tasks/request.ts';
import type { TaskClient } from '../../jobs/framework/calls/client.ts';
import type { Graphs } from '../../jobs/framework/calls/graphs.ts';
import type { TaskView } from '../../jobs/framework/calls/result.ts';
import type { Composite } from '../../jobs/framework/canvas/composition.ts';
import type { GraphOptions } from '../../jobs/framework/canvas/to-request.ts';
import type { DurableCallOptions } from '../../jobs/framework/options.ts';
import type { Signature } from '../../jobs/framework/signature.ts';

/** A client whose tasks a test writes itself. */
export class TaskDouble implements Pick<
  TaskClient,
  'find' | 'graphs' | 'waitUntilFinished' | 'revoke'
> {
  readonly graphs: Graphs = {
    find: async () => undefined,
    result: () => assert.fail('no group is there'),
    tasks: async () => assert.fail('no group is there'),
    revoke: async () => assert.fail('no group is there'),
    waitUntilFinished: async () => assert.fail('no group is there'),
  };
  readonly rows = new Map<string, TaskView>();
  readonly enqueued: { name: string; payload: unknown; options: DurableCallOptions }[] = [];
  /** What the next request comes to. */
  accepted: Accepted = { id: randomUUID(), status: 'queued', outcome: 'created' };
  /** What a wait does; by default it is over at once. */
  wait: (timeoutMs: number, signal: AbortSignal) => Promise<void> = async () => undefined;

  add(row: TaskView): TaskView {
    this.rows.set(row.id, row);
    return row;
  }

  enqueue(signature: Signature): Promise<Accepted>;
  enqueue(composite: Composite, options: GraphOptions): Promise<AcceptedGraph>;
  async enqueue(work: Signature | Composite): Promise<Accepted & AcceptedGraph> {
    if ('shape' in work) assert.fail('a composition is enqueued');
    const { task: about, payload, options } = work;
    this.enqueued.push({ name: about.name, payload, options });
    return this.accepted as Accepted & AcceptedGraph;
  }

  async find(id: string): Promise<TaskView | undefined> {
    return this.rows.get(id);
  }

  async revoke(id: string): Promise<'revoked' | 'ended' | 'unknown'> {
    const row = this.rows.get(id);
    if (row === undefined) return 'unknown';
    if (row.finished_at !== null) return 'ended';
    const error = { error_code: 'TASK_REVOKED', error_message: 'The task was revoked.' } as const;
    this.rows.set(id, { ...row, ...error, status: 'revoked', finished_at: new Date() });
    return 'revoked';
  }

  async waitUntilFinished(_id: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    await this.wait(timeoutMs, signal);
  }
}
