/**
 * The application with `ROLE=api` and its default settings.
 */
import { startApp } from '../../../../app.ts';
import { testConfig } from '../../../support/config.ts';
import type { ServerPlace } from '../../children/http/commands.ts';
import { ourTelemetry } from '../our-telemetry.ts';

export async function listenOurs({ databaseUrl, redisUrl, secret }: ServerPlace): Promise<string> {
  const stores = { databaseUrl, redisUrl, jwtSecurity: secret };
  const app = await startApp(testConfig({ role: 'api', ...stores }), ourTelemetry());
  return app.origin!;
}
