/**
 * Bounds what tasks write past `ctx.log`. Node.js hands every chunk that a thread writes to the main thread, which renews the leases of
 * all jobs: 300,000 lines held it up for seconds and took 300 MB.
 */
import { Allowance, MAX_LINE_LENGTH } from './reports.ts';

/** Time after which dropped lines are told of, in milliseconds. */
const TELL_MS = 1000;

/** What `bound` needs of a stream. */
export interface Output {
  write(chunk: string | Uint8Array, ...rest: unknown[]): boolean;
}

/** Both streams of this thread. */
export function boundOutput(): void {
  bound(process.stdout);
  bound(process.stderr);
}

/** From now on, so many chunks are written as an attempt may log lines, cut to the same length; it tells how many were dropped. */
export function bound(stream: Output): void {
  const lines = new Allowance();
  const write = stream.write.bind(stream);
  let dropped = 0;
  const tell = (): void => {
    write(`${dropped} lines of a thread were dropped: tasks log with ctx.log.\n`);
    dropped = 0;
  };
  stream.write = (chunk, ...rest) => {
    if (lines.take()) return write(chunk.slice(0, MAX_LINE_LENGTH), ...rest);
    if (dropped++ === 0) setTimeout(tell, TELL_MS).unref();
    const written = rest.at(-1);
    if (typeof written === 'function') process.nextTick(written);
    return true;
  };
}
