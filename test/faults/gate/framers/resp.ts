/**
 * The protocol of Redis: a request is an array of strings, each is answered with one value. Scripts are called what they are
 * called in jobs/queue, a round of a worker by what it says of its jobs.
 */
import { Buffered, UUID, type Framer, type ReplyPart, type Request } from './framer.ts';

/** Names of scripts by the SHA-1 of their source, and by the source itself. */
export type ScriptNames = ReadonlyMap<string, string>;

/** Scripts that change nothing. */
const READERS = new Set(['status', 'leased', 'overview']);
const READING_COMMANDS = new Set([
  'GET',
  'INFO',
  'PING',
  'XREAD',
  'XREVRANGE',
  'CLUSTER',
  'CLIENT',
]);

const COMMAND_OF_INBOX = 'BLMPOP';

export function createRespFramer(scripts: ScriptNames): Framer {
  const asked = new Buffered();
  const answered = new Buffered();
  return {
    requests(chunk) {
      asked.add(chunk);
      return values(asked).map(({ bytes, strings }) => toRequest(bytes, strings, scripts));
    },
    replies(chunk): ReplyPart[] {
      answered.add(chunk);
      return values(answered).map(({ bytes }) => ({ bytes, isLast: true }));
    },
    refusal: (word = 'LOADING Redis is loading the dataset in memory') =>
      Buffer.from(`-${word}\r\n`),
  };
}

function toRequest(bytes: Buffer, words: readonly string[], scripts: ScriptNames): Request {
  const command = words[0]!.toUpperCase();
  const jobsBeside = (text: string): string[] => besides(words, text);
  if (command !== 'EVALSHA' && command !== 'EVAL') {
    const name = command === 'HELLO' || command === 'CLIENT' ? undefined : command;
    const nameOf = command === COMMAND_OF_INBOX ? (reply: Buffer) => nameOfInbox(reply) : undefined;
    return {
      bytes,
      name,
      nameOf,
      isAnswered: true,
      mutates: !READING_COMMANDS.has(command),
      jobsBeside,
    };
  }
  const script = scripts.get(words[1]!) ?? 'cache.set';
  const name = script === 'step' ? nameOfStep(words) : script;
  const nameOf = script === 'step' ? () => 'step(claim)' : undefined;
  return { bytes, name, nameOf, isAnswered: true, mutates: !READERS.has(script), jobsBeside };
}

function nameOfInbox(reply: Buffer): string {
  const [, ...messages] = stringsOf(reply);
  const isJob = messages.some((message) => message.startsWith('j'));
  return isJob ? `${COMMAND_OF_INBOX}(job)` : COMMAND_OF_INBOX;
}

/** What a round settles; the arguments are those of step.lua, behind the command, its hash, the keys and the clock. */
function nameOfStep(words: readonly string[]): string {
  let at = 9;
  const take = (width: number): number => {
    const count = Number(words[at]);
    at += 1 + count * width;
    return count;
  };
  take(1);
  const [succeeded, back, failed] = [take(2), take(3), take(2)];
  const said = [succeeded > 0 && 'succeeded', back > 0 && 'back', failed > 0 && 'failed'];
  return `step(${said.filter(Boolean).join('+')})`;
}

/** A record follows its id, and a message of an inbox begins with `j` and the id. */
function besides(words: readonly string[], text: string): string[] {
  return words.flatMap((word, index) => {
    if (!word.includes(text)) return [];
    const beside = [words[index - 1] ?? '', word.slice(1, 37)];
    return beside.filter((id) => id.length === 36 && UUID.test(id));
  });
}

/** Ids of jobs in a reply whose records hold a text. */
export function jobsInReply(reply: Buffer, text: string): string[] {
  return besides(stringsOf(reply), text);
}

export function stringsOf(value: Buffer): string[] {
  const strings: string[] = [];
  endOf(value, 0, strings);
  return strings;
}

/** Every complete value there is. */
function values(buffered: Buffered): { bytes: Buffer; strings: string[] }[] {
  const found: { bytes: Buffer; strings: string[] }[] = [];
  for (;;) {
    const strings: string[] = [];
    const end = endOf(buffered.bytes, 0, strings);
    if (end < 0) return found;
    found.push({ bytes: buffered.take(end), strings });
  }
}

const PAIRS = 0x25; // "%", a map of RESP3
const NESTED = new Set(['*', '~', '>', '%']);
const BULK = new Set(['$', '!', '=']);

/** Where the value that begins at `from` ends, or -1; its strings are added to `strings`. */
function endOf(bytes: Buffer, from: number, strings: string[]): number {
  const line = bytes.indexOf('\r\n', from);
  if (line < 0) return -1;
  const type = String.fromCharCode(bytes[from]!);
  const rest = bytes.toString('utf8', from + 1, line);
  let at = line + 2;
  if (BULK.has(type)) {
    const length = Number(rest);
    if (length < 0) return at;
    if (bytes.length < at + length + 2) return -1;
    strings.push(bytes.toString('utf8', at, at + length));
    return at + length + 2;
  }
  if (!NESTED.has(type)) {
    strings.push(rest);
    return at;
  }
  const count = Number(rest) * (bytes[from] === PAIRS ? 2 : 1);
  for (let i = 0; i < count; i++) {
    at = endOf(bytes, at, strings);
    if (at < 0) return -1;
  }
  return at;
}
