import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inPages } from '../../../jobs/framework/in-pages.ts';

/** A context that notes what it is told. */
function context() {
  const controller = new AbortController();
  const told: unknown[] = [];
  return {
    controller,
    told,
    ctx: {
      signal: controller.signal,
      extendLimit: (ms: number) => void told.push(ms),
      progress: (value: number, note?: string) => void told.push([value, note]),
    },
  };
}

const OPTIONS = { pageLimitMs: 500, unit: 'users' };

test('each page moves the limits, and the last one completes the progress', async () => {
  const { ctx, told } = context();
  const pages = [2, 2, 0];
  const next = async () => ({ items: pages.shift()!, isLast: pages.length === 0 });
  assert.equal(await inPages(ctx, OPTIONS, next), 4);
  assert.deepEqual(told, [500, [0.5, '2 users'], 500, [0.5, '4 users'], 500, [1, '4 users']]);
});

test('an aborted task begins no further page', async () => {
  const { ctx, told, controller } = context();
  const next = async () => {
    controller.abort(new Error('enough'));
    return { items: 1, isLast: false };
  };
  await assert.rejects(inPages(ctx, OPTIONS, next), /enough/);
  assert.deepEqual(told, [500, [0.5, '1 users']]);
});
