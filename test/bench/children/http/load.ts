/**
 * The process that asks measured servers, the same one for each of them.
 */
import { Agent, request } from 'node:http';
import { monotonicMs } from '../../peers/peer.ts';
import { serve } from '../serve.ts';
import type { Load, LoadCommands, Target } from './commands.ts';

serve<LoadCommands>({
  async load(args) {
    const { targets, requests, connections } = args;
    const agent = new Agent({ keepAlive: true, maxSockets: connections });
    let next = 0;
    const askAll = async (): Promise<void> => {
      while (next < requests) await ask(args, targets[next++ % targets.length]!, agent);
    };
    const startMs = monotonicMs();
    await Promise.all(Array.from({ length: connections }, askAll));
    const endMs = monotonicMs();
    agent.destroy();
    return { startMs, endMs };
  },
});

function ask(
  { origin, method, status }: Load,
  { path, authorization }: Target,
  agent: Agent,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(origin + path, { method, agent, headers: { authorization } });
    asked.on('response', (answer) => {
      answer.on('end', () => {
        if (answer.statusCode === status) resolve();
        else reject(new Error(`${method} ${path} was answered with ${answer.statusCode}`));
      });
      answer.on('error', reject);
      answer.resume();
    });
    asked.on('error', reject);
    asked.end();
  });
}
