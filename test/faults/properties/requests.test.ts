/**
 * Random requests over all routes, the largest allowed ones among them: the server fails at none, and none holds up the others.
 */
import { test } from 'node:test';
import { INTERNAL_KEY, sendRandomRequests } from '../../api/bounds/random-requests.ts';
import { runWatched } from '../../support/app/watched.ts';
import { stretched } from '../../support/patience.ts';
import { ORDERS, report, SEED, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('requests', {
  /** Requests, sixteen at a time. */
  requests: { ci: 5000, full: 200_000 },
});
/** How late the event loop of the API may be at p99, in milliseconds. Other experiments run beside this one in the size of CI. */
const LATE_MS = ORDERS.full === true ? 50 : stretched(200);

test('no request makes the server fail or holds up the others', async (t) => {
  const api = await runWatched(t, { ROLE: 'api', INTERNAL_API_KEY: INTERNAL_KEY });
  const { database, config } = api.stores;
  const { jwtSecurity } = config;
  const target = { origin: api.origin, pool: database.pool, jwtSecurity };
  const startedMs = performance.now();
  const { counts, failed } = await sendRandomRequests(target, SIZES.requests, SEED);
  const seconds = (performance.now() - startedMs) / 1000;
  const { p99Ms, longestMs, busy } = await api.loop();
  const violations = [...failed];
  if (p99Ms > LATE_MS) violations.push(`the event loop was ${p99Ms.toFixed(1)} ms late at p99`);
  const granted = [...counts].filter(([status]) => status < 300).map(([, count]) => count);
  const sum = granted.reduce((all, count) => all + count, 0);
  report(t, {
    figure: `${SIZES.requests} random requests over all routes, ${sum} of them granted`,
    result:
      `${failed.length} answers of 5xx; the event loop of the API, busy for ${Math.round(busy * 100)} % of ${seconds.toFixed(0)} s, ` +
      `was late by ${p99Ms.toFixed(1)} ms at p99, ${longestMs.toFixed(0)} ms at most`,
    violations,
  });
});
