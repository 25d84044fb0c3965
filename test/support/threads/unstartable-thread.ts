/** The worker thread of tests, which cannot be loaded while the file that `UNSTARTABLE_WHILE` names is there. */
import { existsSync } from 'node:fs';

if (existsSync(process.env['UNSTARTABLE_WHILE'] ?? '')) throw new Error('too many open files');
const { default: run } = await import('./test-thread.ts');

export default run;
