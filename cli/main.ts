/** The CLI for operators: `npm run cli -- <command>`. */
import { runCommand } from './run.ts';
import { onReaderGone } from './output.ts';

// Commands continue after a broken pipe: `| head` must not interrupt a migration.
onReaderGone(() => undefined);
process.exitCode = await runCommand(process.argv.slice(2));
