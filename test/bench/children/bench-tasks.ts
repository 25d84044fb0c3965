/** Tasks that do nothing, to stand beside the real ones. */
import { Type } from 'typebox';
import { defineTask } from '../../../jobs/framework/define.ts';
import { Tasks } from '../../../jobs/framework/tasks.ts';
import { TASKS } from '../../../jobs/tasks.ts';
import { RESULT } from '../peers/peer.ts';

const NOTHING = {
  payload: Type.Object({ atMs: Type.String(), practiceId: Type.String(), note: Type.String() }),
  result: Type.Object({ ok: Type.Boolean() }),
  run: async () => RESULT,
};

const bench = defineTask({ ...NOTHING, name: 'bench', durable: false });

export const durable = defineTask({ ...NOTHING, name: 'bench-durable' });

export const BENCH_TASKS = new Tasks([...TASKS, bench, durable]);
