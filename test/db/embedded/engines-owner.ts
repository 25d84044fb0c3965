/** A process that starts the embedded engines of its environment, says so, and waits to be killed. */
import { loadConfig } from '../../../base/config.ts';
import { resolveConfig } from '../../../db/embedded/engines.ts';

await resolveConfig(loadConfig(), () => undefined);
process.send?.('up');
