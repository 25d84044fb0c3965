/**
 * A measured server: `node server.js ours|bare`. It lives for all rounds of a row.
 */
import { listenBare } from '../../peers/http/bare.ts';
import { listenOurs } from '../../peers/http/ours.ts';
import { serve } from '../serve.ts';
import type { ServerCommands } from './commands.ts';

const listen = { ours: listenOurs, bare: listenBare }[process.argv[2] as 'ours' | 'bare'];

serve<ServerCommands>({ listen });
