/**
 * The protocol of Postgres: a request is everything up to Sync, or a simple Query; its reply ends with ReadyForQuery. What
 * happens before the first ReadyForQuery is the handshake.
 */
import { Buffered, type Framer, type ReplyPart, type Request } from './framer.ts';

/** Parameters of the handshake to be given other values, as text. */
export type Startup = Readonly<Record<string, string>>;

/** Texts of the statements that a session keeps, by name. */
type Prepared = Map<string, string>;

const PROTOCOL_3 = 196_608;
const IDLE = 'I';

export function createPostgresFramer(startup: Startup): Framer {
  const asked = new Buffered();
  const answered = new Buffered();
  let phase: 'startup' | 'handshake' | 'ready' = 'startup';
  let group: Buffer[] = [];
  const prepared: Prepared = new Map();
  let status = IDLE;

  function* understood(): Generator<Request> {
    for (;;) {
      const header = phase === 'startup' ? 0 : 1;
      if (asked.bytes.length < header + 4) return;
      const length = header + asked.bytes.readInt32BE(header);
      if (asked.bytes.length < length) return;
      const message = asked.take(length);
      if (phase === 'startup') {
        if (message.readInt32BE(4) === PROTOCOL_3) phase = 'handshake';
        yield untouched(withParameters(message, startup));
      } else if (phase === 'handshake' || message[0] === code('X')) {
        yield untouched(message);
      } else {
        group.push(message);
        if (message[0] !== code('S') && message[0] !== code('Q')) continue;
        const request = toRequest(textOf(group, prepared), group);
        group = [];
        yield request;
      }
    }
  }

  return {
    requests(chunk) {
      asked.add(chunk);
      return [...understood()];
    },
    replies(chunk) {
      answered.add(chunk);
      const parts: ReplyPart[] = [];
      let end = 0;
      const { bytes } = answered;
      if (phase === 'startup') return [{ bytes: answered.take(bytes.length), isLast: false }];
      for (let begin = 0; end + 5 <= bytes.length;) {
        const next = end + 1 + bytes.readInt32BE(end + 1);
        if (next > bytes.length) break;
        const isLast = bytes[end] === code('Z');
        if (isLast) {
          status = String.fromCharCode(bytes[end + 5]!);
          phase = 'ready';
        }
        end = next;
        if (!isLast) continue;
        parts.push({ bytes: bytes.subarray(begin, end), isLast });
        begin = end;
      }
      const complete = parts.reduce((sum, part) => sum + part.bytes.length, 0);
      answered.take(end);
      if (end > complete) parts.push({ bytes: bytes.subarray(complete, end), isLast: false });
      return parts;
    },
    refusal(word = '40001') {
      const fields = `SERROR\0VERROR\0C${word}\0Mrefused by the gate\0\0`;
      const ready = status === IDLE ? IDLE : 'E';
      return Buffer.concat([frame('E', fields), frame('Z', ready)]);
    },
  };
}

function code(type: string): number {
  return type.charCodeAt(0);
}

function frame(type: string, body: string): Buffer {
  const message = Buffer.alloc(5 + Buffer.byteLength(body));
  message.write(type, 0);
  message.writeInt32BE(message.length - 1, 1);
  message.write(body, 5);
  return message;
}

function untouched(bytes: Buffer): Request {
  return { bytes, name: undefined, isAnswered: false, mutates: false, jobsBeside: () => [] };
}

function toRequest(text: string, messages: readonly Buffer[]): Request {
  const bytes = Buffer.concat(messages);
  const name = nameOf(text);
  const mutates = /^(INSERT|UPDATE|DELETE|COMMIT|SELECT ai\.(accept|store|advance)_)/.test(name);
  return { bytes, name, text, isAnswered: true, mutates, jobsBeside: () => [] };
}

/** The statement, from the Query or the Parse in it, or from that which prepared what is bound. */
function textOf(messages: readonly Buffer[], prepared: Prepared): string {
  for (const message of messages) {
    const [first = '', second = ''] = message.toString('utf8', 5).split('\0', 2);
    if (message[0] === code('Q')) return first;
    if (message[0] === code('P')) {
      prepared.set(first, second);
      return second;
    }
    if (message[0] === code('B')) return prepared.get(second) ?? '';
  }
  return '';
}

/** The verb and the first table or function of a statement. */
function nameOf(text: string): string {
  const sql = text.trim().replaceAll(/\s+/g, ' ');
  const verb = /^\w+/.exec(sql)?.[0].toUpperCase() ?? 'EMPTY';
  const table =
    verb === 'SELECT' || verb === 'WITH'
      ? (/\bFROM (?!\()([\w.]+)/i.exec(sql)?.[1] ?? /(\w+)\(/.exec(sql)?.[1])
      : /^(?:INSERT INTO|UPDATE|DELETE FROM) ([\w.]+)/i.exec(sql)?.[1];
  const lock = /\bFOR (UPDATE|SHARE)\b/.test(sql) ? ' FOR UPDATE' : '';
  return [verb, table].filter(Boolean).join(' ') + lock;
}

/** Parameters the client did not send are left alone. */
function withParameters(message: Buffer, startup: Startup): Buffer {
  if (message.readInt32BE(4) !== PROTOCOL_3) return message;
  const words = message.toString('utf8', 8).split('\0');
  for (let i = 0; i + 1 < words.length; i += 2) words[i + 1] = startup[words[i]!] ?? words[i + 1]!;
  const body = Buffer.from(words.join('\0'));
  const changed = Buffer.alloc(8 + body.length);
  changed.writeInt32BE(changed.length, 0);
  changed.writeInt32BE(PROTOCOL_3, 4);
  body.copy(changed, 8);
  return changed;
}
