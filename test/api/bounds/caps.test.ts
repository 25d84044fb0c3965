/**
 * The description of the API states a cap for whatever could grow: lists, maps, texts that are sent, and free-form values.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildOperations } from '../../../api/index.ts';
import { createWorld, open } from '../fixture.ts';

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  pattern?: string;
  description?: string;
  maxItems?: number;
  maxLength?: number;
  maxProperties?: number;
}

interface Operation {
  parameters?: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

/** What has no cap, each by its place. */
function* uncapped(schema: Schema, where: string, isSent: boolean): Generator<string> {
  const { type, properties = {}, patternProperties, additionalProperties: more } = schema;
  const isFree = type === undefined && schema.anyOf === undefined && schema.enum === undefined;
  if (isFree && !/at most|OpenAPI/i.test(schema.description ?? '')) yield `${where}: any value`;
  if (type === 'array' && schema.maxItems === undefined) yield `${where}: a list`;
  const isMap = patternProperties !== undefined || typeof more === 'object';
  if (isMap && schema.maxProperties === undefined) yield `${where}: a map`;
  if (isSent && type === 'object' && !isMap && more !== false && where.includes('body'))
    yield `${where}: any fields`;
  const isFixed = schema.enum !== undefined || /^\^\[.*\$$/.test(schema.pattern ?? '');
  if (isSent && type === 'string' && schema.maxLength === undefined && !isFixed)
    yield `${where}: a text`;
  for (const [name, inner] of Object.entries(properties))
    yield* uncapped(inner, `${where}/${name}`, isSent);
  if (schema.items !== undefined) yield* uncapped(schema.items, `${where}/*`, isSent);
  for (const inner of schema.anyOf ?? []) yield* uncapped(inner, where, isSent);
}

test('every list, map, sent text and free-form value has a cap that the description states', async (t) => {
  const app = await open(t, createWorld());
  const { paths } = (await app.inject('/openapi.json')).json<{
    paths: Record<string, Record<string, Operation>>;
  }>();
  const found: string[] = [];
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { parameters = [], requestBody, responses }] of Object.entries(
      operations,
    )) {
      const where = `${method} ${path}`;
      for (const { in: part, name, schema } of parameters)
        found.push(...uncapped(schema, `${where} ${part} ${name}`, true));
      for (const { schema } of Object.values(requestBody?.content ?? {}))
        found.push(...uncapped(schema, `${where} body`, true));
      for (const [status, { content = {} }] of Object.entries(responses)) {
        if (content['text/plain'] !== undefined) continue;
        for (const { schema } of Object.values(content))
          found.push(...uncapped(schema, `${where} ${status}`, false));
      }
    }
  }
  assert.ok(Object.keys(paths).length > 20);
  assert.deepEqual(found, []);
});

test('a process with more dependencies than /ready may list is not built', async (t) => {
  const { config, telemetry, metrics } = createWorld().deps;
  const build = (many: number) => {
    const readiness = Array.from({ length: many }, (_, n) => ({
      name: `${n}`,
      needed: false,
      check: async () => undefined,
    }));
    return buildOperations({ config, telemetry, metrics, readiness });
  };
  const app = await build(16);
  t.after(() => app.close());
  assert.equal(
    Object.keys((await app.inject('/ready')).json<{ dependencies: object }>().dependencies).length,
    16,
  );
  await assert.rejects(build(17), /17 dependencies: at most 16/);
});
