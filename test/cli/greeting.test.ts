import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greeting } from '../../cli/greeting.ts';
import { config } from '../api/fixture.ts';

test('who sees every job in the log is not told how to', async () => {
  const lines = await greeting(config({ logLevel: 'info' }), 'http://here');
  assert.match(lines.at(-1)!, /LOG_LEVEL=debug npm start$/);
  const others = await greeting(config({ logLevel: 'debug' }), 'http://here');
  assert.doesNotMatch(others.join('\n'), /LOG_LEVEL/);
});

test('the greeting says who the admin is', async () => {
  const lines = await greeting(config(), 'http://here');
  const [, owner] = /^Try it, as (.+) \(/m.exec(lines.join('\n'))!;
  const admin = lines.findIndex((line) => line.startsWith('  ADMIN='));
  assert.ok(lines[admin - 1]!.includes(`${owner} again, with the role admin`));
});
