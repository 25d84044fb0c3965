/**
 * Process of the offline coach. It speaks:
 *
 *     POST /v1/chat/completions   also `stream: true`
 *     POST /v1/embeddings         `encoding_format` float or base64, `dimensions`
 *     GET  /v1/models
 *     POST /control               {faults?: Fault[], delayMs?: number}: the next chat calls, one fault each
 *     GET  /control/stats         {chatCalls, embeddingCalls, faultsLeft}
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CoachOptions } from './start.ts';
import { completionOf, streamCompletion } from './completion.ts';
import { embed } from './embedding.ts';
import { FAULTS, isFault, type Fault } from './faults.ts';
import { serveAsEngine } from '../host/engine.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const DEFAULT_DIMENSIONS = 768;

await serveAsEngine(async (options: CoachOptions) => {
  const coach = createCoach(options.delayMs);
  const server = createServer((req, res) => {
    coach(req, res).catch((error: unknown) => {
      if (error instanceof BadRequest) send(res, 400, errorBody(error.message));
      else res.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    note: 'offline coach, not a language model',
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
});

type Json = Record<string, unknown>;

class BadRequest extends Error {}

function createCoach(initialDelayMs: number) {
  let delayMs = initialDelayMs;
  let faults: Fault[] = [];
  const stats = { chatCalls: 0, embeddingCalls: 0 };

  async function chat(req: IncomingMessage, res: ServerResponse): Promise<void> {
    stats.chatCalls++;
    const fault = faults.shift() ?? 'none';
    const body = await readJson(req);
    if (!Array.isArray(body['messages'])) throw new BadRequest('messages must be a list');
    const completion = completionOf(body['messages']);
    if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
    if (fault !== 'none') return FAULTS[fault](res, { body, completion });
    if (body['stream'] === true) return streamCompletion(res, completion);
    send(res, 200, completion);
  }

  async function embeddings(req: IncomingMessage, res: ServerResponse): Promise<void> {
    stats.embeddingCalls++;
    const body = await readJson(req);
    const inputs = Array.isArray(body['input']) ? body['input'] : [body['input']];
    if (!inputs.every((input) => typeof input === 'string')) {
      throw new BadRequest('input must be a string or a list of strings');
    }
    const dimensions = body['dimensions'] ?? DEFAULT_DIMENSIONS;
    if (!Number.isInteger(dimensions) || Number(dimensions) < 1 || Number(dimensions) > 4096) {
      throw new BadRequest('dimensions must be a whole number from 1 to 4096');
    }
    const data = inputs.map((input, index) => {
      const vector = embed(input, Number(dimensions));
      const base64 = Buffer.from(vector.buffer).toString('base64');
      const embedding = body['encoding_format'] === 'base64' ? base64 : [...vector];
      return { object: 'embedding', index, embedding };
    });
    const tokens = Math.ceil(inputs.join('').length / 2);
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    send(res, 200, { object: 'list', model: 'offline-coach', data, usage });
  }

  async function control(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await readJson(req);
    const wanted = body['faults'];
    if (wanted !== undefined) {
      if (!Array.isArray(wanted) || !wanted.every(isFault)) {
        throw new BadRequest(`faults must be a list of: none, ${Object.keys(FAULTS).join(', ')}`);
      }
      faults = [...wanted];
    }
    if (typeof body['delayMs'] === 'number') delayMs = body['delayMs'];
    send(res, 200, { faults, delayMs });
  }

  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    switch (`${req.method} ${new URL(req.url ?? '/', 'http://coach').pathname}`) {
      case 'POST /v1/chat/completions':
        return chat(req, res);
      case 'POST /v1/embeddings':
        return embeddings(req, res);
      case 'GET /v1/models': {
        const model = { id: 'offline-coach', object: 'model', created: 0, owned_by: 'daodao' };
        return send(res, 200, { object: 'list', data: [model] });
      }
      case 'POST /control':
        return control(req, res);
      case 'GET /control/stats':
        return send(res, 200, { ...stats, faultsLeft: faults.length });
      default:
        return send(res, 404, errorBody('there is no such route'));
    }
  };
}

async function readJson(req: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new BadRequest('the body is too large');
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString());
    if (typeof value === 'object' && value !== null) return value as Json;
  } catch {
    // Said below.
  }
  throw new BadRequest('the body must be a JSON object');
}

function send(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function errorBody(message: string): object {
  return { error: { message, type: 'invalid_request_error', code: null } };
}
