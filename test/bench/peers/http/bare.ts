/**
 * The least that a server for the same routes does: it checks the token and makes one query, and BullMQ takes what is to
 * be done. It validates nothing, limits nothing, logs nothing and stores no task.
 */
import { Queue } from 'bullmq';
import { createVerifier } from 'fast-jwt';
import Fastify, { type FastifyRequest } from 'fastify';
import pg from 'pg';
import type { ServerPlace } from '../../children/http/commands.ts';

/** As many as the API has. */
const CONNECTIONS = 10;

const TASK = `SELECT id, name, status, user_id, attempts, result, error_code, error_message, created_at, started_at, finished_at
  FROM ai.tasks WHERE id = $1`;
const PRACTICE = `SELECT p.external_id AS id, u.external_id AS owner, p.title, p.status, p.progress_percentage
  FROM practices p JOIN users u ON u.id = p.user_id WHERE p.external_id = $1`;
const CARDS = `SELECT p.external_id AS id, p.title, p.practice_action AS description, p.tags, u.external_id AS creator, u.nickname
  FROM practices p JOIN users u ON u.id = p.user_id
  WHERE p.privacy_status = 'public' AND p.status IN ('active', 'completed') AND p.deleted_at IS NULL AND u.external_id <> $1
  ORDER BY p.id DESC LIMIT 20`;

type ById = { Params: { id: string } };

export async function listenBare({ databaseUrl, redisUrl, secret }: ServerPlace): Promise<string> {
  const db = new pg.Pool({ connectionString: databaseUrl, max: CONNECTIONS });
  const queue = new Queue('feedback', { connection: { url: redisUrl } });
  await queue.waitUntilReady();
  const verify = createVerifier({ key: secret, algorithms: ['HS256'] });
  const users = new WeakMap<FastifyRequest, unknown>();
  const app = Fastify();

  app.addHook('onRequest', async (request, reply) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
    try {
      const { _id: user } = verify(token) as { _id: unknown };
      users.set(request, user);
    } catch {
      await reply.code(401).send();
    }
  });

  app.route<ById>({
    method: 'GET',
    url: '/tasks/:id',
    handler: async (request, reply) => {
      const { rows } = await db.query<{ user_id: string }>(TASK, [request.params.id]);
      if (rows[0]?.user_id !== users.get(request)) return reply.code(404).send();
      return rows[0];
    },
  });

  app.route<ById>({
    method: 'POST',
    url: '/practices/:id/feedback',
    handler: async (request, reply) => {
      const { rows } = await db.query<{ owner: string }>(PRACTICE, [request.params.id]);
      if (rows[0]?.owner !== users.get(request)) return reply.code(404).send();
      const job = await queue.add('feedback', { practiceId: request.params.id });
      return reply.code(202).send({ task_id: job.id });
    },
  });

  app.route({
    method: 'GET',
    url: '/users/me/recommendations',
    handler: async (request) => {
      const { rows } = await db.query(CARDS, [users.get(request)]);
      return { items: rows };
    },
  });

  return app.listen({ host: '127.0.0.1', port: 0 });
}
