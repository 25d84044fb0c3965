/** Work that is accepted exactly if what the caller writes beside it is committed. */
import assert from 'node:assert/strict';
import { Type } from 'typebox';
import { transaction } from '../../../db/stores/postgres.ts';
import { defineTask } from '../../../jobs/framework/define.ts';
import type { Stack } from '../../support/threads/stack.ts';

const greet = defineTask({
  name: 'example.greet_member',
  payload: Type.Object({ who: Type.String() }),
  result: Type.String(),
  run: async ({ who }) => `hello ${who}`,
});

export const tasks = [greet];

export async function run({ client, db }: Stack): Promise<void> {
  const { id, dispatch } = await transaction(db, async (tx) => {
    await tx.query('CREATE TEMPORARY TABLE members ON COMMIT DROP AS SELECT 1 AS member');
    return client.within(tx).enqueue(greet.s({ who: 'Ann' }));
  });
  dispatch();
  assert.equal(await client.result(id, greet).get({ timeoutMs: 60_000 }), 'hello Ann');
}
