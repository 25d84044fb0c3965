/** The process behind `cli-host.ts`: runs each command line it is sent as `cli/main.ts` does. */
import { runCommand } from '../../../cli/run.ts';
import type { CliAnswer, CliCall } from './cli-host.ts';

const { PATH = '', HOME = '' } = process.env;
let written = '';
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (text: string | Uint8Array): boolean => {
    written += String(text);
    return true;
  };
}

process.on('message', ({ env, words }: CliCall) => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, { PATH, HOME, ...env });
  written = '';
  void runCommand(words).then((code) => {
    process.send!({ code, text: written } satisfies CliAnswer);
  });
});
process.once('disconnect', () => process.exit());
