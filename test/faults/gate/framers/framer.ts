/**
 * What the gate needs to know of a protocol: where one request or reply ends, and what it is.
 */

/** Something a client asks for in one go. */
export interface Request {
  bytes: Buffer;
  /** What it is called in labels; undefined for what is no unit of work, such as a handshake: that passes untouched. */
  name: string | undefined;
  /** The same once it is known what it was answered, for requests whose answer is what matters. */
  nameOf?: ((reply: Buffer) => string) | undefined;
  /** The statement, if it is one. */
  text?: string;
  /** Whether a reply of its own follows; messages of a handshake are passed on without counting what comes back. */
  isAnswered: boolean;
  /** Whether it may change what the store holds. */
  mutates: boolean;
  /** Ids of jobs that stand beside a text, such as that of a record beside its payload. */
  jobsBeside(text: string): string[];
}

/** A piece of a reply, passed on as soon as it is there. */
export interface ReplyPart {
  bytes: Buffer;
  /** Whether the reply is complete with it. */
  isLast: boolean;
}

/** One connection. Both methods take what arrived and return what it completes. */
export interface Framer {
  requests(chunk: Buffer): Request[];
  replies(chunk: Buffer): ReplyPart[];
  /** What the server answers when it refuses a request, if it is refused with this word or in a usual way. */
  refusal(word?: string): Buffer;
}

export const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;

/** Bytes of which only a part has been understood so far. */
export class Buffered {
  bytes: Buffer = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
  }

  /** Takes the first so many bytes off. */
  take(length: number): Buffer {
    const taken = this.bytes.subarray(0, length);
    this.bytes = this.bytes.subarray(length);
    return taken;
  }
}
