/** Bugs to plant: each is a guard taken out of a copy of the compiled program, and the one trial that must notice. */
import type { Mode } from '../matrix/modes.ts';

/** A piece of text in a file of the package, and what it becomes. */
export interface Patch {
  file: string;
  from: string;
  to: string;
}

export interface Mutant {
  name: string;
  patches: readonly Patch[];
  /** The fault under which it breaks a promise. */
  label: string;
  mode: Mode;
  /** The violation that shows it. */
  shows: RegExp;
}

const STEPS = 'dist/db/tasks/steps.js';
/** The job never ends. */
export const NO_END = /did not end before its deadline/;

/** A lost job is found again after a minute, which a trial on a busy machine may take. */
const WITHOUT_REPAIR = {
  file: 'dist/jobs/queue/worker/repair.js',
  from: 'const CHECK_MS = 60_000;',
  to: 'const CHECK_MS = 3_600_000;',
};
const ENDED_TWICE = /the queue has ended one job 2 times/;
const INSERT_STEP = `'INSERT INTO ai.task_steps (task_id, step, epoch, output) VALUES ($1, $2, $3, $4)'`;
/** The unit in which a worker stores the reply of the model. */
const STORE_STEP = 'worker/pg:INSERT ai.task_steps FOR UPDATE#1';
const UNFENCED: Patch = {
  file: 'dist/db/tasks/fence.js',
  from: 'AND epoch = $2 AND finished_at IS NULL FOR UPDATE',
  to: 'AND $2::bigint IS NOT NULL AND finished_at IS NULL FOR UPDATE',
};

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no inbox: a step that is stored is not looked for',
    patches: [
      { file: STEPS, from: 'return rows[0];', to: 'return undefined;' },
      {
        file: STEPS,
        from: INSERT_STEP,
        to: INSERT_STEP.replace(`)'`, `) ON CONFLICT DO NOTHING'`),
      },
    ],
    label: 'worker/pg:COMMIT#1',
    mode: 'A',
    shows: /the task ended as error/,
  },
  {
    name: 'the inbox row is written after the transaction of its effect',
    patches: [
      {
        file: STEPS,
        from: 'return transaction(pool, async (tx) => {',
        to: 'const output = await transaction(pool, async (tx) => {',
      },
      {
        file: STEPS,
        from: `        await tx.query(${INSERT_STEP}, [fence.id, step, fence.epoch, text]);\n        return JSON.parse(text);\n    });`,
        to: `        return JSON.parse(text);\n    });\n    await pool.query(${INSERT_STEP.replace(`)'`, `) ON CONFLICT DO NOTHING'`)}, [fence.id, step, fence.epoch, JSON.stringify(output ?? null)]);\n    return output;`,
      },
    ],
    label: 'worker/pg:COMMIT#1',
    mode: 'A',
    shows: /the task ended as error/,
  },
  {
    name: 'effects are written without a transaction around them',
    patches: [
      {
        file: 'dist/db/stores/postgres.js',
        from: 'const begun = client.query(begin);',
        to: 'const begun = Promise.resolve();',
      },
    ],
    label: 'worker/pg:INSERT ai.task_steps#1',
    mode: 'B',
    shows: /the task ended as error/,
  },
  {
    name: 'the job is acknowledged before its work is committed',
    patches: [
      {
        file: 'dist/workers/main/dispatch.js',
        from: 'this.#run(ready.slice(i, i + size), this.#pool);\n    }',
        to: `this.#run(ready.slice(i, i + size), this.#pool);
        for (const { job } of ready)
            this.#options.queue.settle(job.id, { kind: 'succeeded', result: 'null' });
    }`,
      },
    ],
    label: 'worker/pg:COMMIT#1',
    mode: 'B',
    shows: NO_END,
  },
  {
    name: 'the epoch is not compared before an effect',
    patches: [UNFENCED],
    label: 'worker/pg:BEGIN#1',
    mode: 'W',
    shows: /save was written under epoch 1 of 2/,
  },
  {
    name: 'the epoch is not compared when the output of a step is stored',
    patches: [UNFENCED],
    label: STORE_STEP,
    mode: 'W',
    shows: /llm was written under epoch 1 of 2/,
  },
  {
    name: 'the epoch is not compared when the outcome is written',
    patches: [
      {
        file: 'dist/db/tasks/attempts.js',
        from: 'USING (id, epoch)\n           WHERE ${IS_OPEN}',
        to: 'USING (id)',
      },
    ],
    label: 'worker/pg:UPDATE ai.tasks#3',
    mode: 'Z',
    shows: /written after the end: UPDATE tasks done/,
  },
  {
    name: 'a stored reply of the model is not used again',
    patches: [
      {
        file: 'dist/workers/thread/context.js',
        from: 'const stored = await findStep(db, fence.id, name);',
        to: 'const stored = undefined;',
      },
    ],
    label: STORE_STEP,
    mode: 'A',
    shows: /the model was called 2 times in 1 starts/,
  },
  {
    name: 'the lease is not checked when a job is completed',
    patches: [
      {
        file: 'jobs/queue/lua/parts/jobs/held.lua',
        from: 'if member[i] == 1 then',
        to: 'if member[i] then',
      },
      {
        file: 'jobs/queue/lua/worker/step.lua',
        from: `if not redis.call('ZSCORE', workers, worker) then return redis.error_reply('WORKER_UNKNOWN') end`,
        to: '',
      },
    ],
    label: 'worker/redis:step(succeeded)#1',
    mode: 'Z',
    shows: ENDED_TWICE,
  },
  {
    name: 'the cache takes an older version over a newer one',
    patches: [
      {
        file: 'dist/db/stores/cache.js',
        from: 'if version and version > tonumber(ARGV[1]) then return 0 end',
        to: '',
      },
    ],
    label: 'worker/redis:cache.set#1',
    mode: 'L',
    shows: /the cache holds version 1, not 2/,
  },
  {
    name: 'a job whose id is known is put in line again',
    patches: [
      {
        file: 'jobs/queue/lua/parts/jobs/store.lua',
        from: 'if known[i] then all_new = false end',
        to: '',
      },
      {
        file: 'jobs/queue/lua/parts/jobs/store.lua',
        from: `redis.call('HSET', jobs, unpack(ARGV, from, last)) == count`,
        to: `redis.call('HSET', jobs, unpack(ARGV, from, last)) >= 0`,
      },
    ],
    label: 'api/redis:enqueue#1',
    mode: 'L',
    shows: ENDED_TWICE,
  },
  {
    name: 'a round that is sent again claims anew, whatever its number',
    patches: [
      {
        file: 'jobs/queue/lua/worker/step.lua',
        from: 'if memo[1] then return recall(memo[1], at) end',
        to: '',
      },
      WITHOUT_REPAIR,
    ],
    label: 'worker/redis:step(claim)#1',
    mode: 'D',
    shows: NO_END,
  },
  {
    name: 'the reaper forgets what lay in the inbox of the dead',
    patches: [
      {
        file: 'jobs/queue/lua/worker/reap.lua',
        from: 'if not return_to_line(id, at) then',
        to: 'if not fresh[id] and not return_to_line(id, at) then',
      },
      WITHOUT_REPAIR,
    ],
    label: 'worker/redis:inbox#1',
    mode: 'B',
    shows: NO_END,
  },
  {
    name: 'the reaper charges a death to every job of the dead',
    patches: [
      {
        file: 'jobs/queue/lua/worker/reap.lua',
        from: `if mark == 'r' then deaths = deaths + 1 end`,
        to: 'deaths = deaths + 1',
      },
    ],
    label: 'worker/llm:POST#1',
    mode: 'B',
    shows: /deaths were charged: 0:1:s/,
  },
  {
    name: 'the reconciler hands over nothing',
    patches: [
      {
        file: 'dist/scheduler/reconciler.js',
        from: `statuses[index].state === 'unknown'`,
        to: `statuses[index].state === 'blocked'`,
      },
    ],
    label: 'api/redis:enqueue#1',
    mode: 'B',
    shows: NO_END,
  },
];
