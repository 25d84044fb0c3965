/**
 * Commands of the CLI for many calls of a test, run by one process one after the other: to start one for each takes longer
 * than most commands.
 */
import { fork } from 'node:child_process';
import { packagePath } from '../../../base/package-path.ts';
import { endWithTest, forget } from '../queue/survivors.ts';

export interface CliCall {
  env: Record<string, string>;
  words: readonly string[];
}

export interface CliAnswer {
  code: number;
  /** What it wrote to standard output and standard error, in order. */
  text: string;
}

export type RunCli = (call: CliCall) => Promise<CliAnswer>;

/** Starts the process with the first call. @param scope ends it: a test, or `node:test` for all of a file. */
export function cliHost(scope: { after(end: () => Promise<void>): void }): RunCli {
  let host: ReturnType<typeof start> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  scope.after(async () => host?.stop());
  return (call) => {
    const answer = last.then(() => (host ??= start()).run(call));
    last = answer.catch(() => undefined);
    return answer;
  };
}

function start(): { run: RunCli; stop(): Promise<void> } {
  const { PATH = '', HOME = '' } = process.env;
  const child = fork(packagePath('dist', 'test', 'support', 'app', 'cli-main.js'), [], {
    env: { PATH, HOME },
  });
  endWithTest(child.pid!);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      forget(child.pid!);
      resolve();
    });
  });
  return {
    run: (call) =>
      new Promise((resolve, reject) => {
        child.once('message', (answer) => resolve(answer as CliAnswer));
        void ended.then(() => reject(new Error('the process of the commands has ended')));
        child.send(call);
      }),
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
