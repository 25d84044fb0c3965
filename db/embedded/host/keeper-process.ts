/**
 * The keeper's own process: told on standard input, one line each, what to watch. It ends when the parent does, however
 * that happens: `node keeper-process.js <how long an engine may take to end cleanly, in milliseconds>`.
 */
import { createInterface } from 'node:readline';
import { endProcesses, type Leftover } from './process.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const watched: Leftover[] = [];
for await (const line of createInterface({ input: process.stdin })) {
  watched.push(JSON.parse(line) as Leftover);
}
await endProcesses(watched, Number(process.argv[2]));
