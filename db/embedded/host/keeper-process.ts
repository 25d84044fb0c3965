/**
 * The keeper's process: reads the processes to watch from standard input, one JSON line each, and ends them once the
 * parent closes it or dies. Usage: `node keeper-process.js <milliseconds before SIGKILL>`.
 */
import { createInterface } from 'node:readline';
import { endProcesses, type Leftover } from './process.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const watched: Leftover[] = [];
for await (const line of createInterface({ input: process.stdin })) {
  watched.push(JSON.parse(line) as Leftover);
}
await endProcesses(watched, Number(process.argv[2]));
