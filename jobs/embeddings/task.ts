/**
 * Vectors of users and their practices, from their newest text.
 */
import { Type } from 'typebox';
import { sweep, SweepCounts } from './sweep.ts';
import { updateUsers } from './update.ts';
import { defineTask } from '../define.ts';

/** For some users, or for a page of a sweep. */
const TIME_LIMIT_MS = 120_000;

export const updateUserEmbeddings = defineTask({
  name: 'update_user_embeddings',
  queue: 'ai_tasks',
  payload: Type.Object({
    /** External ids. Default: everyone with something new. */
    userIds: Type.Optional(
      Type.Array(Type.String({ format: 'uuid' }), { minItems: 1, maxItems: 100 }),
    ),
    /** Whether unchanged texts are embedded again. Default false. */
    anew: Type.Optional(Type.Boolean()),
  }),
  result: SweepCounts,
  maxRetries: 5,
  backoff: { delayMs: 10_000, factor: 2, jitter: 'full', maxMs: 600_000 },
  softTimeLimitMs: TIME_LIMIT_MS - 30_000,
  timeLimitMs: TIME_LIMIT_MS,
  async run({ userIds, anew }, ctx) {
    if (userIds === undefined) return sweep(ctx, { pageLimitMs: TIME_LIMIT_MS, anew });
    return { users: userIds.length, ...(await updateUsers(userIds, ctx, { anew })) };
  },
});
