/** Standard output, as the programs that talk to people use it. */

/** Writes a line. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Calls `end` when the reader of standard output has gone away, as after `| head`: what is written now is for nobody. */
export function onReaderGone(end: () => void): void {
  let isGone = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isGone) end();
    isGone = true;
  });
}
