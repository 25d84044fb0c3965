/** Routes for DaoDao's services to report events that trigger tasks. */
import { Type, type Static } from 'typebox';
import type { Accepted } from '../../db/tasks/request.ts';
import { AppError } from '../../base/errors.ts';
import { updateVectorsOf } from '../../jobs/embeddings/call.ts';
import { askForOwner } from '../../jobs/feedback/call.ts';
import { generateAiFeedback } from '../../jobs/feedback/task.ts';
import { welcomeOf } from './welcome.ts';
import { updateUserEmbeddings } from '../../jobs/embeddings/task.ts';
import type { RouteContext } from '../context.ts';
import type { Api } from '../http/api.ts';
import { errorResponses, UUID_PATTERN } from '../http/schemas.ts';
import { answerAcceptedGroup } from '../tasks/accepted.ts';
import { AcceptedGroupBody } from '../tasks/group-schemas.ts';

const PracticeEvent = Type.Object(
  { practice_id: Type.String({ pattern: UUID_PATTERN }) },
  { additionalProperties: false },
);
const UserEvent = Type.Object(
  { user_id: Type.String({ pattern: UUID_PATTERN }) },
  { additionalProperties: false },
);

const TriggeredBody = Type.Object(
  {
    tasks: Type.Array(
      Type.Object({ name: Type.String(), task_id: Type.String(), status: Type.String() }),
      { maxItems: 2 },
    ),
  },
  { description: 'The accepted tasks.' },
);

const RESPONSES = {
  202: TriggeredBody,
  ...errorResponses(
    'REQUEST_INVALID',
    'UNAUTHENTICATED',
    'PRACTICE_NOT_FOUND',
    'STORE_UNAVAILABLE',
    'BACKLOG_FULL',
  ),
};

type Triggered = Static<typeof TriggeredBody>['tasks'][number];

export function internalRoutes(app: Api, context: RouteContext): void {
  const { config, tasks, readers, backlog } = context;

  const updateVectors = async (userId: string): Promise<Triggered> => {
    const accepted = await tasks.enqueue(updateVectorsOf(userId, config));
    return triggered(updateUserEmbeddings.name, accepted);
  };

  app.route({
    method: 'POST',
    url: '/internal/events/practice.completed',
    config: { internal: true },
    schema: {
      operationId: 'practiceCompleted',
      summary: 'Report that a practice was finished',
      description:
        'Enqueues new vectors for its owner, and feedback, if the practice has enough content and the owner is within the daily quota.',
      tags: ['internal'],
      security: [{ internal: [] }],
      body: PracticeEvent,
      response: RESPONSES,
    },
    handler: async (request, reply) => {
      backlog.assertRoom();
      const material = await readers.practiceMaterial(request.body.practice_id.toLowerCase());
      if (material === undefined) throw new AppError('PRACTICE_NOT_FOUND');
      reply.code(202);
      const vectors = await updateVectors(material.practice.ownerId.toLowerCase());
      const feedback = await askForOwner(material, config, (call) => tasks.enqueue(call));
      if (feedback === undefined) return { tasks: [vectors] };
      return { tasks: [triggered(generateAiFeedback.name, feedback), vectors] };
    },
  });

  app.route({
    method: 'POST',
    url: '/internal/events/practice.updated',
    config: { internal: true },
    schema: {
      operationId: 'practiceUpdated',
      summary: 'Report that a practice was changed, shared, hidden or deleted',
      tags: ['internal'],
      security: [{ internal: [] }],
      body: PracticeEvent,
      response: RESPONSES,
    },
    handler: async (request, reply) => {
      backlog.assertRoom();
      const owner = await readers.practiceOwner(request.body.practice_id.toLowerCase());
      if (owner === undefined) throw new AppError('PRACTICE_NOT_FOUND');
      reply.code(202);
      return { tasks: [await updateVectors(owner)] };
    },
  });

  app.route({
    method: 'POST',
    url: '/internal/events/user.goals_updated',
    config: { internal: true },
    schema: {
      operationId: 'userGoalsUpdated',
      summary: 'Report that the goals or the profile of a user changed',
      tags: ['internal'],
      security: [{ internal: [] }],
      body: UserEvent,
      response: RESPONSES,
    },
    handler: async (request, reply) => {
      backlog.assertRoom();
      reply.code(202);
      return { tasks: [await updateVectors(request.body.user_id.toLowerCase())] };
    },
  });

  app.route({
    method: 'POST',
    url: '/internal/events/user.created',
    config: { internal: true },
    schema: {
      operationId: 'userCreated',
      summary: 'Report a new user',
      description: 'Enqueues the vectors of the user, and then their recommendations.',
      tags: ['internal'],
      security: [{ internal: [] }],
      body: UserEvent,
      response: { ...RESPONSES, 202: AcceptedGroupBody },
    },
    handler: async (request, reply) => {
      backlog.assertRoom();
      const welcome = welcomeOf(request.body.user_id.toLowerCase());
      const { id } = await tasks.enqueue(welcome.work, welcome.options);
      return answerAcceptedGroup(reply, id, 2);
    },
  });
}

function triggered(name: string, { id, status }: Accepted): Triggered {
  return { name, task_id: id, status };
}
