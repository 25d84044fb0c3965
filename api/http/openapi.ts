/** Serves `/openapi.json` from the route schemas, and `/docs` to read it, without access to other servers. */
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyContextConfig, FastifyInstance } from 'fastify';

type TransformObject = NonNullable<FastifyDynamicSwaggerOptions['transformObject']>;
type Document = Extract<
  Parameters<TransformObject>[0],
  { openapiObject: unknown }
>['openapiObject'];

const INFO = {
  title: 'DaoDao AI',
  version: '0.1.0',
  description:
    'AI feedback and recommendations for practices. Longer work is accepted with 202 and followed at /tasks/{id}.',
};

const DESCRIPTION_PATH = '/openapi.json';

const PAGE_TITLE = 'DaoDao AI back end';

const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 130 40" height="40">
<text x="0" y="28" font-family="sans-serif" font-size="24" fill="#fff">DaoDao AI</text></svg>`;

/** The page loads only from this server; the viewer itself needs inline styles. */
const DOCS_POLICY = {
  'default-src': "'self'",
  'img-src': ["'self'", 'data:'],
  'style-src': ["'self'", "'unsafe-inline'"],
  'frame-ancestors': "'none'",
};

/** Who may read what is for operators. */
export type Access = Readonly<Pick<FastifyContextConfig, 'public' | 'admin'>>;

/** Call it before adding routes: only later routes are described. */
export async function describeRoutes(app: FastifyInstance, access: Access): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: INFO,
      tags: [
        { name: 'feedback', description: 'AI feedback on a practice.' },
        { name: 'tasks', description: 'Accepted tasks.' },
        { name: 'recommendations', description: 'Recommended practices of other users.' },
        { name: 'events', description: 'User behaviour.' },
        { name: 'internal', description: "For DaoDao's own services." },
        { name: 'operations', description: 'For operators.' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'auth_token' },
          internal: { type: 'apiKey', in: 'header', name: 'x-internal-api-key' },
        },
      },
      security: [{ bearer: [] }, { cookie: [] }],
    },
    transformObject: (document) =>
      'openapiObject' in document
        ? markOptionalBodies(document.openapiObject)
        : document.swaggerObject,
  });
  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, ...access };
      // The viewer's own copies, of which the second is twice as long.
      if (route.url === '/docs/json' || route.url === '/docs/yaml') {
        route.handler = (_request, reply) => reply.redirect(DESCRIPTION_PATH);
      }
    });
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: DOCS_POLICY,
      theme: { title: PAGE_TITLE },
      logo: { type: 'image/svg+xml', content: LOGO, href: '/docs' },
      uiConfig: {
        // By default the viewer sends the document to a public validator.
        validatorUrl: null,
        // Shows the address other programs use instead of the viewer's copy.
        urls: [{ url: DESCRIPTION_PATH, name: DESCRIPTION_PATH }],
      },
    });
    docs.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs'));
  });
}

/** The generator marks every body as required; a body without required fields is optional. */
function markOptionalBodies(document: Document): Document {
  for (const { post } of Object.values(document.paths ?? {}).filter((path) => path !== undefined)) {
    const body = post?.requestBody;
    if (body === undefined || '$ref' in body) continue;
    const schema = body.content['application/json']?.schema;
    if (schema !== undefined && !('$ref' in schema)) body.required = schema.required !== undefined;
  }
  return document;
}
