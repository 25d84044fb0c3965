/**
 * An append-only log: one JSON entry per line, behind its CRC-32. Entries survive a crash of the process at any moment;
 * the next start drops a torn last line.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { crc32 } from 'node:zlib';

export interface Log<Entry> {
  /** Returns once the operating system has the entry; it does not wait for the disk. */
  append(entry: Entry): void;
  close(): void;
}

/** @throws {Error} if valid lines follow a damaged one: that is no torn tail, and dropping it would lose data. */
export function openLog<Entry>(file: string, replay: (entry: Entry) => void): Log<Entry> {
  let sizeBytes = existsSync(file) ? replayFile(file, replay) : 0;
  const descriptor = openSync(file, 'a');
  ftruncateSync(descriptor, sizeBytes);
  return {
    append(entry) {
      const line = encode(entry);
      try {
        appendFileSync(descriptor, line);
        sizeBytes += line.length;
      } catch (error) {
        // A partial line (disk full) would corrupt the next one.
        ftruncateSync(descriptor, sizeBytes);
        throw error;
      }
    },
    close() {
      fsyncSync(descriptor);
      closeSync(descriptor);
    },
  };
}

/** Replaces `file` atomically: a crash leaves either the old log or the new one. */
export function rewriteLog<Entry>(file: string, entries: Iterable<Entry>): void {
  const fresh = `${file}.new`;
  const descriptor = openSync(fresh, 'w');
  try {
    for (const entry of entries) writeFileSync(descriptor, encode(entry));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(fresh, file);
}

function replayFile<Entry>(file: string, replay: (entry: Entry) => void): number {
  const bytes = readFileSync(file);
  let goodBytes = 0;
  let damaged = false;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    const text = newline === -1 ? undefined : decode(bytes.subarray(start, end));
    if (text === undefined) damaged = true;
    else if (damaged) throw new Error(`${file} is damaged after byte ${goodBytes}`);
    else {
      replay(JSON.parse(text) as Entry);
      goodBytes = end + 1;
    }
    start = end + 1;
  }
  return goodBytes;
}

function encode(entry: unknown): Buffer {
  const text = JSON.stringify(entry);
  return Buffer.from(`${checksum(text)} ${text}\n`);
}

function decode(line: Buffer): string | undefined {
  const text = line.toString('utf8', 9);
  return line.toString('latin1', 0, 8) === checksum(text) ? text : undefined;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
