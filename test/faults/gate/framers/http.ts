/**
 * HTTP/1.1: one message after the other, its body of a known length, in chunks, or until the connection ends.
 */
import { Buffered, type Framer, type ReplyPart, type Request } from './framer.ts';

const HEAD_END = '\r\n\r\n';
const NO_BODY = /^HTTP\/1\.[01] (?:1\d\d|204|304)\b/;

/** Where a message stands: before its head is complete, in a body with so many bytes to come, in chunks, or until the end. */
type State = { in: 'head' } | { in: 'body'; left: number } | { in: 'chunks' } | { in: 'rest' };

/** Splits a stream into pieces of messages. */
function createSplitter(isReply: boolean): (chunk: Buffer) => ReplyPart[] {
  const buffered = new Buffered();
  let state: State = { in: 'head' };

  function next(): ReplyPart | undefined {
    if (buffered.bytes.length === 0) return undefined;
    switch (state.in) {
      case 'head': {
        const end = buffered.bytes.indexOf(HEAD_END);
        if (end < 0) return undefined;
        const head = buffered.take(end + HEAD_END.length);
        state = bodyOf(head.toString('latin1'), isReply);
        return part(head, state.in === 'body' && state.left === 0);
      }
      case 'body': {
        const piece = buffered.take(Math.min(state.left, buffered.bytes.length));
        state = { in: 'body', left: state.left - piece.length };
        return part(piece, state.left === 0);
      }
      case 'chunks': {
        const line = buffered.bytes.indexOf('\r\n');
        if (line < 0) return undefined;
        const size = Number.parseInt(buffered.bytes.toString('latin1', 0, line), 16);
        // The last chunk has no bytes, and trailers are not used here: a blank line ends it.
        const length = line + 2 + size + 2;
        if (buffered.bytes.length < length) return undefined;
        return part(buffered.take(length), size === 0);
      }
      case 'rest':
        return part(buffered.take(buffered.bytes.length), false);
    }
  }

  function part(bytes: Buffer, isLast: boolean): ReplyPart {
    if (isLast) state = { in: 'head' };
    return { bytes, isLast };
  }

  return (chunk) => {
    buffered.add(chunk);
    const parts: ReplyPart[] = [];
    for (let found = next(); found !== undefined; found = next()) parts.push(found);
    return parts;
  };
}

function bodyOf(head: string, isReply: boolean): State {
  if (/^transfer-encoding:.*chunked/im.test(head)) return { in: 'chunks' };
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length !== undefined) return { in: 'body', left: Number(length) };
  return isReply && !NO_BODY.test(head) ? { in: 'rest' } : { in: 'body', left: 0 };
}

export function createHttpFramer(): Framer {
  const asked = createSplitter(false);
  const answered = createSplitter(true);
  let pieces: Buffer[] = [];
  return {
    requests(chunk): Request[] {
      const requests: Request[] = [];
      for (const { bytes, isLast } of asked(chunk)) {
        pieces.push(bytes);
        if (!isLast) continue;
        const whole = Buffer.concat(pieces);
        pieces = [];
        const name = /^\w+/.exec(whole.toString('latin1', 0, 10))?.[0];
        const mutates = name !== 'GET';
        requests.push({ bytes: whole, name, isAnswered: true, mutates, jobsBeside: () => [] });
      }
      return requests;
    },
    replies: answered,
    refusal(word = '500') {
      const body = '{"error":{"message":"refused by the gate","type":"server_error","code":null}}';
      return Buffer.from(
        `HTTP/1.1 ${word} Refused\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    },
  };
}
