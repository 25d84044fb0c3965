/**
 * Slots of random expressions in random zones, against the slow definition of them.
 */
import { test } from 'node:test';
import { compareSlots, ZONES } from '../../jobs/framework/beat/random-slots.ts';
import { report, SEED, sizesOf } from '../experiment.ts';

const SIZES = sizesOf('cron', { cases: { ci: 50_000, full: 1_000_000 } });
/** From so many cases on they are of every zone there is: to read the clocks of all takes a while. */
const MANY = 100_000;

test('every slot is the one of the definition', (t) => {
  const zones = SIZES.cases > MANY ? [...Intl.supportedValuesOf('timeZone'), 'UTC'] : ZONES;
  const { slots, refused, difference, medianMs } = compareSlots(zones, SIZES.cases, SEED);
  report(t, {
    figure: `${SIZES.cases} random expressions in ${zones.length} zones`,
    result: `${slots} slots, ${refused} never due; next() takes ${medianMs.toFixed(3)} ms (median)`,
    violations: difference === undefined ? [] : [difference],
  });
});
