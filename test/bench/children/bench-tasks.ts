/** A task that does nothing, to stand beside the real ones. */
import { Type } from 'typebox';
import { TASKS } from '../../../jobs/registry.ts';
import { defineTask, type Task } from '../../../jobs/task.ts';
import { RESULT } from '../peers/peer.ts';

const bench = defineTask({
  name: 'bench',
  durable: false,
  payload: Type.Object({ atMs: Type.String(), practiceId: Type.String(), note: Type.String() }),
  result: Type.Object({ ok: Type.Boolean() }),
  run: async () => RESULT,
});

/** Adds it to the registry of this thread alone. */
export function registerBenchTask(): void {
  (TASKS as Task[]).push(bench);
}
