/** Answers an unknown path with 404, and a wrong method with 405. */
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../base/errors.ts';

/** Call it before adding routes: only later routes are known. */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const routes: { path: RegExp; methods: string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ path: pathOf(url), methods: [method].flat() });
  });
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = new Set(
      routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods),
    );
    // A known path and method that end here: a file that does not exist.
    if (allowed.size === 0 || allowed.has(request.method)) throw new AppError('ROUTE_NOT_FOUND');
    const list = [...allowed].toSorted().join(', ');
    reply.header('allow', list);
    throw new AppError('METHOD_NOT_ALLOWED', { message: `This route supports ${list}.` });
  });
}

function pathOf(pattern: string): RegExp {
  const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll(/:\w+/g, '[^/]+');
  return new RegExp(`^${source}/?$`);
}
