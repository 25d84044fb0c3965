/**
 * A configuration for parts run in the process of the test: every store has an address, unused ones lead nowhere.
 */
import { loadConfig, type ResolvedConfig } from '../../base/config.ts';

export function testConfig(overrides: Partial<ResolvedConfig> = {}): ResolvedConfig {
  return {
    // Schedules would fire whatever the hour of the test, one person asks for all that a test needs, and a thread takes time to start.
    ...loadConfig({ PORT: '0', SCHEDULES: 'off', FEEDBACK_PER_DAY: '1000', WORKER_THREADS: '1' }),
    databaseUrl: 'postgres://127.0.0.1:9/none',
    redisUrl: 'redis://127.0.0.1:9',
    clickhouseUrl: 'http://127.0.0.1:9',
    qdrantUrl: 'http://127.0.0.1:9',
    openaiBaseUrl: 'http://127.0.0.1:9/v1',
    openaiApiKey: 'none',
    jwtSecurity: 'a secret that only tests know',
    ...overrides,
  };
}
