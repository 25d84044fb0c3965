/** Standard output of the CLI and the server. */

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Calls `end` once when standard output is closed, as after `| head`. */
export function onReaderGone(end: () => void): void {
  let isGone = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isGone) end();
    isGone = true;
  });
}
