import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { packagePath } from '../../../../base/package-path.ts';
import type { Framer } from './framer.ts';
import { createHttpFramer } from './http.ts';
import { createPostgresFramer } from './postgres.ts';
import { createRespFramer } from './resp.ts';
import { scriptNames } from '../scripts.ts';

const scripts = await scriptNames(packagePath('dist'));

/** The names of what a stream asks for, and how many replies another one completes, in whatever pieces they arrive. */
function read(framer: Framer, asked: Buffer, answered: Buffer, sizes: readonly number[]) {
  const names = pieces(asked, sizes)
    .flatMap((piece) => framer.requests(piece))
    .map(({ name }) => name);
  const parts = pieces(answered, sizes).flatMap((piece) => framer.replies(piece));
  return {
    names,
    replies: parts.filter(({ isLast }) => isLast).length,
    bytes: Buffer.concat(parts.map(({ bytes }) => bytes)).toString('latin1'),
  };
}

function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const found: Buffer[] = [];
  for (let from = 0, i = 0; from < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    found.push(bytes.subarray(from, from + size));
    from += size;
  }
  return found;
}

function command(...words: string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

function message(type: string, body: string): Buffer {
  const bytes = Buffer.alloc(5 + Buffer.byteLength(body));
  bytes.write(type, 0);
  bytes.writeInt32BE(bytes.length - 1, 1);
  bytes.write(body, 5);
  return bytes;
}

function handshake(): Buffer {
  const parameters = ['user', 'daodao', 'lock_timeout', '2000', '', ''].join('\u0000');
  const body = Buffer.from(`\u0000\u0003\u0000\u0000${parameters}`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}

const sizesOfPieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

test('the protocol of Redis is understood however it is cut', () => {
  const step = [...scripts].find(([, name]) => name === 'step')![0];
  const round = ['0', 'worker', '7', '1', '0', '1', 'ai_tasks', '1', 'id', 'record', '0', '0'];
  const asked = Buffer.from(
    command('GET', 'key\r\n') + command('EVALSHA', step, '1', 'key', ...round),
  );
  const answered = Buffer.from('$5\r\n1\r\n{}\r\n*3\r\n:12\r\n*-1\r\n*1\r\n$-1\r\n-ERR no\r\n');
  fc.assert(
    fc.property(sizesOfPieces, (sizes) => {
      const { names, replies, bytes } = read(createRespFramer(scripts), asked, answered, sizes);
      assert.deepEqual(names, ['GET', 'step(succeeded)']);
      assert.equal(replies, 3);
      assert.equal(bytes, answered.toString('latin1'));
    }),
  );
});

test('the protocol of Postgres is understood however it is cut', () => {
  const ready = message('Z', 'I');
  const parse = message('P', 's1\0UPDATE ai.tasks SET epoch = 1\0\0\0');
  const bind = message('B', '\0s1\0\0\0\0\0\0\0');
  const sync = message('S', '');
  // The second time, the statement is known by its name.
  const twice = [parse, bind, sync, bind, sync];
  const asked = Buffer.concat([message('Q', 'BEGIN\0'), ...twice, message('X', '')]);
  const row = message('D', 'Z is no end');
  const answered = Buffer.concat([message('C', 'BEGIN\0'), ready, row, row, ready, ready]);
  fc.assert(
    fc.property(sizesOfPieces, (sizes) => {
      const framer = createPostgresFramer({ lock_timeout: '400' });
      const [startup] = framer.requests(handshake());
      assert.ok(startup!.bytes.includes('lock_timeout\u0000400\u0000'));
      framer.replies(ready);
      const { names, replies, bytes } = read(framer, asked, answered, sizes);
      assert.deepEqual(names, ['BEGIN', 'UPDATE ai.tasks', 'UPDATE ai.tasks', undefined]);
      assert.equal(replies, 3);
      assert.equal(bytes, answered.toString('latin1'));
    }),
  );
});

test('HTTP is understood however it is cut, in chunks and of a known length', () => {
  const asked = Buffer.from(
    'POST /v1/chat HTTP/1.1\r\ncontent-length: 4\r\n\r\n{}\r\nGET /v1/models HTTP/1.1\r\n\r\n',
  );
  const answered = Buffer.from(
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\na\r\n\r\n0\r\n\r\n' +
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  );
  fc.assert(
    fc.property(sizesOfPieces, (sizes) => {
      const { names, replies, bytes } = read(createHttpFramer(), asked, answered, sizes);
      assert.deepEqual(names, ['POST', 'GET']);
      assert.equal(replies, 2);
      assert.equal(bytes, answered.toString('latin1'));
    }),
  );
});
