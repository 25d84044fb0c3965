/** A task that does nothing, to stand beside the real ones. */
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import { Tasks } from '../../../jobs/framework/tasks.ts';
import { TASKS } from '../../../jobs/tasks.ts';
import { RESULT } from '../peers/peer.ts';

const bench = defineTask({
  name: 'bench',
  durable: false,
  payload: Type.Object({ atMs: Type.String(), practiceId: Type.String(), note: Type.String() }),
  result: Type.Object({ ok: Type.Boolean() }),
  run: async () => RESULT,
});

export const BENCH_TASKS = new Tasks([...TASKS, bench]);
