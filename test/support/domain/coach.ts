/**
 * The coach as tests use it, in their own process: faults to come, and how often it was asked.
 */
import { serve } from '../../../db/embedded/coach/server.ts';
import type { Fault } from '../../../db/embedded/coach/faults.ts';
import { createLlm } from '../../../jobs/llm/openai/chat.ts';
import type { ChatModel } from '../../../jobs/llm/model.ts';

export interface TestCoach {
  url: string;
  llm: ChatModel;
  /** What happens to the next chat calls, one fault each; the delay stays. */
  control(settings: { faults?: Fault[]; delayMs?: number }): Promise<void>;
  /** Chat calls so far. */
  chatCalls(): Promise<number>;
  stop(): Promise<void>;
}

export async function startTestCoach(timeoutMs = 5000): Promise<TestCoach> {
  const engine = await serve({ delayMs: 0 });
  return {
    url: engine.url,
    llm: createLlm({ baseUrl: engine.url, apiKey: 'test', model: 'any', timeoutMs }),
    async control(settings) {
      const response = await fetch(new URL('/control', engine.url), {
        method: 'POST',
        body: JSON.stringify(settings),
      });
      if (!response.ok) throw new Error(await response.text());
      await response.arrayBuffer();
    },
    async chatCalls() {
      const response = await fetch(new URL('/control/stats', engine.url));
      return ((await response.json()) as { chatCalls: number }).chatCalls;
    },
    stop: () => engine.stop(),
  };
}
