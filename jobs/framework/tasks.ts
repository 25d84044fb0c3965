/** The task registry: an application's tasks by name. */
import { TaskDefinitionError } from './policy.ts';
import type { TaskFacts } from './signature.ts';

export class Tasks<T extends TaskFacts = TaskFacts> {
  readonly #byName: ReadonlyMap<string, T>;
  /** Queues named by at least one task. */
  readonly queues: ReadonlySet<string>;

  /** @throws {TaskDefinitionError} when two tasks share a name. */
  constructor(tasks: Iterable<T>) {
    const byName = new Map<string, T>();
    for (const task of tasks) {
      if (byName.has(task.name)) {
        throw new TaskDefinitionError(task.name, ['Another task has this name.']);
      }
      byName.set(task.name, task);
    }
    this.#byName = byName;
    this.queues = new Set([...byName.values()].map(({ queue }) => queue));
  }

  find(name: string): T | undefined {
    return this.#byName.get(name);
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#byName.values();
  }
}
