/**
 * The routes of the application, as it registers them.
 */
import { buildApi } from '../../api/index.ts';
import { createWorld, PRACTICE_ID } from './fixture.ts';

export interface Route {
  method: 'GET' | 'POST' | 'HEAD' | 'PATCH' | 'DELETE';
  /** With its parameters: `/tasks/:id`. */
  url: string;
}

/** Every route the application has. */
export async function registeredRoutes(): Promise<Route[]> {
  const app = await buildApi(createWorld().deps);
  const tree = app.printRoutes({ commonPrefix: false });
  await app.close();
  const routes: Route[] = [];
  const path: string[] = [];
  for (const line of tree.split('\n')) {
    const match = /^([│ ]*)[├└]── (\S*)(?: \((.+)\))?$/u.exec(line);
    if (match === null) continue;
    path.length = (match[1] ?? '').length / 4;
    path.push(match[2] ?? '');
    for (const method of match[3]?.split(', ') ?? []) {
      routes.push({ method: method as 'GET', url: path.join('') });
    }
  }
  return routes;
}

/** The route as it would be called. */
export function calledOf(url: string, parameter = PRACTICE_ID): string {
  return url.replaceAll(/:\w+/g, parameter).replaceAll('*', 'index.css');
}
