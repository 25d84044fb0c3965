/** The task that updates the vectors of users and their practices. */
import { Type } from 'typebox';
import { sweep, SweepCounts } from './sweep.ts';
import { updateUsers } from './update.ts';
import { defineTask } from '../define.ts';
import { assertMayTouch } from '../common/owner.ts';

/** Covers the given users, or one page of a sweep. */
const TIME_LIMIT_MS = 120_000;

export const updateUserEmbeddings = defineTask({
  name: 'update_user_embeddings',
  queue: 'ai_tasks',
  payload: Type.Object({
    /** External ids. Default: all users with changes. */
    userIds: Type.Optional(
      Type.Array(Type.String({ format: 'uuid' }), { minItems: 1, maxItems: 100 }),
    ),
    /** Whether to embed unchanged texts again. Default false. */
    anew: Type.Optional(Type.Boolean()),
  }),
  result: SweepCounts,
  maxRetries: 5,
  backoff: { delayMs: 10_000, factor: 2, jitter: 'full', maxMs: 600_000 },
  softTimeLimitMs: TIME_LIMIT_MS - 30_000,
  timeLimitMs: TIME_LIMIT_MS,
  async run({ userIds, anew }, ctx) {
    if (userIds === undefined) return sweep(ctx, { pageLimitMs: TIME_LIMIT_MS, anew });
    assertMayTouch(ctx, userIds);
    return { users: userIds.length, ...(await updateUsers(userIds, ctx, { anew })) };
  },
});
