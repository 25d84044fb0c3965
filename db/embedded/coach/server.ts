/**
 * The server of the offline coach: the chat completions, embeddings and models of the OpenAI API. `POST /control`
 * takes `{faults?, delayMs?}`, one fault for each of the next chat calls; `GET /control/stats` returns `{chatCalls}`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { completionOf } from './completion.ts';
import { embed } from './embedding.ts';
import { fail, FAULTS, isFault, type Fault } from './faults.ts';
import { BodyTooLarge, listenOnLoopback, readBody, sendJson } from '../host/http.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const DEFAULT_DIMENSIONS = 768;

export async function serve({ delayMs }: { delayMs: number }) {
  const coach = createCoach(delayMs);
  const server = await listenOnLoopback((req, res) => {
    coach(req, res).catch((error: unknown) => {
      if (error instanceof BadRequest || error instanceof BodyTooLarge) {
        fail(res, 400, error.message);
      } else res.destroy();
    });
  });
  return {
    url: `${server.url}/v1`,
    note: 'offline coach, not a language model',
    // Some faults never end their response, so `close` would hang.
    stop: () => server.abort(),
  };
}

class BadRequest extends Error {}

function createCoach(initialDelayMs: number) {
  let delayMs = initialDelayMs;
  let faults: Fault[] = [];
  let chatCalls = 0;

  async function chat(req: IncomingMessage, res: ServerResponse): Promise<void> {
    chatCalls++;
    const fault = faults.shift() ?? 'none';
    const body = await readJson(req);
    if (!Array.isArray(body['messages'])) throw new BadRequest('messages must be a list');
    const completion = completionOf(body['messages']);
    if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
    if (fault !== 'none') return FAULTS[fault](res, { body, completion });
    sendJson(res, 200, completion);
  }

  async function embeddings(req: IncomingMessage, res: ServerResponse): Promise<void> {
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
      return { object: 'embedding', index, embedding: [...embed(input, Number(dimensions))] };
    });
    const tokens = Math.ceil(inputs.join('').length / 2);
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    sendJson(res, 200, { object: 'list', model: 'offline-coach', data, usage });
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
    sendJson(res, 200, { faults, delayMs });
  }

  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    switch (`${req.method} ${new URL(req.url ?? '/', 'http://coach').pathname}`) {
      case 'POST /v1/chat/completions':
        return chat(req, res);
      case 'POST /v1/embeddings':
        return embeddings(req, res);
      case 'GET /v1/models': {
        const model = { id: 'offline-coach', object: 'model', created: 0, owned_by: 'daodao' };
        return sendJson(res, 200, { object: 'list', data: [model] });
      }
      case 'POST /control':
        return control(req, res);
      case 'GET /control/stats':
        return sendJson(res, 200, { chatCalls });
      default:
        return fail(res, 404, 'there is no such route');
    }
  };
}

async function readJson(req: IncomingMessage): Promise<Record<string, unknown>> {
  const text = (await readBody(req, MAX_BODY_BYTES)).toString();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Falls through to the error below.
  }
  throw new BadRequest('the body must be a JSON object');
}
