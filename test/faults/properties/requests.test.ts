/**
 * Random requests over all routes, the largest allowed ones among them: the server fails at none.
 */
import { test } from 'node:test';
import { sendRandomRequests } from '../../api/bounds/random-requests.ts';
import { report, SEED, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('requests', {
  /** Requests, eight at a time. */
  requests: { ci: 5000, full: 200_000 },
});

test('no request makes the server fail', async (t) => {
  const violations = await sendRandomRequests(SIZES.requests, SEED);
  report(t, {
    figure: `${SIZES.requests} random requests over all routes`,
    result: `${violations.length} answers of 5xx`,
    violations,
  });
});
