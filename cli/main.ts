/** Commands for operators and maintenance: `npm run cli -- <command>`. */
import { runCommand } from './run.ts';
import { onReaderGone } from './output.ts';

// A command is carried through whoever reads: a migration must not stop halfway for `| head`.
onReaderGone(() => undefined);
process.exitCode = await runCommand(process.argv.slice(2));
