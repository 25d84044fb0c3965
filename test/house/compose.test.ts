/**
 * An engine for containers is not everywhere, so the compose file is held against what the code needs by reading it.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { loadConfig, ROLES, SETTINGS } from '../../base/config.ts';
import { packagePath } from '../../base/package-path.ts';

interface Service {
  image: string;
  build?: string;
  user?: string;
  command?: string[];
  environment?: Record<string, string | number>;
  read_only?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  security_opt?: string[];
  restart?: string;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  ports?: string[];
  volumes?: string[];
}

const STORES = ['redis', 'postgres', 'clickhouse', 'qdrant'];
const APPS = ['migrate', 'api', 'worker', 'scheduler'];
const STORE_URLS = ['DATABASE_URL', 'REDIS_URL', 'CLICKHOUSE_URL', 'QDRANT_URL'] as const;

const { services, volumes } = parse(await readFile(packagePath('docker-compose.yml'), 'utf8'), {
  merge: true,
}) as { services: Record<string, Service>; volumes: Record<string, null> };

/** What Compose puts in place of `${NAME:-default}` when nothing is set. */
const substituted = (value: string | number) =>
  String(value).replaceAll(/\$\{\w+:-([^}]*)\}/g, (_, fallback: string) => fallback);

const environmentOf = (name: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(services[name]?.environment ?? {}).map(([key, value]) => [
      key,
      substituted(value),
    ]),
  );

test('the compose file has every service the system needs, and no other', () => {
  assert.deepEqual(Object.keys(services).toSorted(), [...STORES, ...APPS, 'ollama'].toSorted());
});

for (const [name, service] of Object.entries(services)) {
  describe(`the service ${name}`, () => {
    test('has an image of an exact version', () => {
      // Postgres counts in two parts, everything else in three or more.
      const exact = name === 'postgres' ? /:\d+\.\d+(-\w+)?$/ : /:v?\d+\.\d+\.\d+(\.\d+)?(-\w+)?$/;
      assert.match(service.image, exact);
    });

    test('cannot write outside its volumes nor gain privileges', () => {
      assert.equal(service.read_only, true);
      assert.deepEqual(service.cap_drop, ['ALL']);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true']);
      assert.ok(service.tmpfs?.includes('/tmp'));
    });

    test('does not run as root', { skip: name === 'ollama' && 'its image has no other user' }, () =>
      assert.match(service.user ?? 'root', /^(?!root|0\b)\w+/),
    );

    test('is reachable from this machine only', () => {
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/);
    });

    test('keeps its data in volumes that are declared', () => {
      for (const volume of service.volumes ?? [])
        assert.ok((volume.split(':')[0] ?? '') in volumes, volume);
    });

    if (name === 'migrate') {
      test('runs once', () => assert.equal(service.restart, 'no'));
    } else {
      test('says when it is healthy, and comes back when it ends', () => {
        assert.equal(service.restart, 'unless-stopped');
        assert.match(service.healthcheck?.test[0] ?? '', /^CMD(-SHELL)?$/);
        assert.ok((service.healthcheck?.test.length ?? 0) > 1);
      });
    }
  });
}

for (const name of APPS) {
  describe(`the application as ${name}`, () => {
    const environment = environmentOf(name);

    test('sets only variables that are settings', () => {
      for (const variable of Object.keys(environment)) assert.ok(variable in SETTINGS, variable);
    });

    test('is usable as it stands, with every store a container of this file', () => {
      const config = loadConfig(environment);
      assert.ok(config.jwtSecurity);
      for (const variable of STORE_URLS) {
        const { hostname } = new URL(environment[variable] ?? '');
        assert.ok(STORES.includes(hostname), `${variable} points to ${hostname}`);
      }
    });

    test('asks for no language model, so that the offline coach answers', () => {
      const config = loadConfig(environment);
      assert.equal(config.openaiBaseUrl, undefined);
      assert.equal(config.openaiApiKey, undefined);
    });

    test('waits for what it needs', () => {
      const conditions = services[name]?.depends_on ?? {};
      for (const store of STORES)
        assert.equal(conditions[store]?.condition, 'service_healthy', store);
      if (name !== 'migrate')
        assert.equal(conditions['migrate']?.condition, 'service_completed_successfully');
    });

    test('has a role of its own', () => {
      const role = environment['ROLE'];
      if (name === 'migrate') return assert.equal(role, undefined);
      assert.equal(role, name);
      assert.ok(ROLES.some((known) => known === role));
    });
  });
}

test('the development secret says what it is', () => {
  assert.match(environmentOf('api')['JWT_SECURITY'] ?? '', /development-only/);
});

test('the queue in Redis survives a restart and never loses keys to eviction', () => {
  const command = services['redis']?.command?.join(' ') ?? '';
  assert.match(command, /--maxmemory-policy noeviction/);
  assert.match(command, /--appendonly yes/);
});

test('the API listens where the published port leads', () => {
  const { host, port } = loadConfig(environmentOf('api'));
  assert.equal(host, '0.0.0.0');
  assert.ok(services['api']?.ports?.some((mapping) => mapping.endsWith(`:${port}`)));
});

test('what the image copies is in the repository and reaches the build', async () => {
  const dockerfile = await readFile(packagePath('Dockerfile'), 'utf8');
  const ignore = (await readFile(packagePath('.dockerignore'), 'utf8')).split('\n');
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)]
    .flatMap((match) => (match[1] ?? '').split(' '))
    .filter((file) => file !== '.');
  assert.ok(copied.length >= 5);
  for (const file of copied) {
    assert.ok(existsSync(packagePath(file)), file);
    assert.ok(ignore.includes(`!${file.split('/')[0]}`), `${file} is ignored`);
  }
});

test('the image runs as another user than root, on an exact version of Node', async () => {
  const dockerfile = await readFile(packagePath('Dockerfile'), 'utf8');
  assert.match(dockerfile, /^USER node$/m);
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1] ?? '');
  assert.ok(bases.length >= 2);
  for (const base of bases) assert.match(base, /^node:24\.\d+\.\d+-\w+-slim$/);
});
