/**
 * How events are described: by their fields, though each is checked by itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld, open } from '../fixture.ts';

interface Described {
  maxItems: number;
  items: { required: string[]; properties: Record<string, { enum?: string[] }> };
}

interface Description {
  paths: Record<
    string,
    {
      post: {
        requestBody: {
          content: Record<string, { schema: { properties: { events: Described } } }>;
        };
      };
    }
  >;
}

test('an event is described with its fields, types and reasons, under both paths', async (t) => {
  const app = await open(t, createWorld());
  const { paths } = (await app.inject('/openapi.json')).json<Description>();
  for (const path of ['/events', '/api/v1/events']) {
    const { content } = paths[path]!.post.requestBody;
    const { maxItems, items } = content['application/json']!.schema.properties.events;
    assert.equal(maxItems, 500);
    assert.ok(items.properties['event_type']?.enum?.includes('impression'));
    assert.ok(items.properties['entity_type']?.enum?.includes('resource'));
    assert.ok(items.properties['match_reason']?.enum?.includes('tag_match'));
    assert.deepEqual(items.required.toSorted(), [
      'entity_id',
      'entity_type',
      'event_id',
      'event_type',
      'occurred_at',
    ]);
  }
});
