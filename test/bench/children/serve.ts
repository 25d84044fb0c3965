/**
 * The measured process's end of a `Child`: carries out what it is told, one command after the other, until its parent ends.
 */
export type Args<C, K extends keyof C> = C[K] extends (args: infer A) => unknown ? A : never;
export type Answer<C, K extends keyof C> = C[K] extends (args: never) => infer R ? R : never;

export interface Call {
  name: string;
  args: unknown;
}

export type Reply = { answer: unknown } | { error: string };

/** @typeParam C the commands, as an interface of methods with one argument. */
export type Handlers<C> = {
  [K in keyof C]: (args: Args<C, K>) => Promise<Answer<C, K>>;
};

export function serve<C>(handlers: Handlers<C>): void {
  const carryOut = async ({ name, args }: Call): Promise<Reply> => {
    try {
      const handler = handlers[name as keyof C] as (args: unknown) => Promise<unknown>;
      return { answer: await handler(args) };
    } catch (error) {
      return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  process.on('message', (call: Call) => void carryOut(call).then((reply) => process.send?.(reply)));
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches the whole group; the parent ends it in order.
  process.on('SIGINT', () => undefined);
}
