/** Maintenance commands: settings, migrations, seed and reset. */
import path from 'node:path';
import { describeConfig, loadConfig } from '../../base/config.ts';
import { resetData } from '../../db/embedded/host/data-dir.ts';
import { prepareStores, seedStores } from '../prepare.ts';
import { say } from '../output.ts';
import { UsageProblem, type Commands } from '../command.ts';
import { withStores } from '../stores.ts';

export const maintenance: Commands = {
  config: {
    describe: 'print every setting: value, default, unit, description; secrets are masked',
    run: async () => {
      for (const { name, value, isDefault, unit, describe } of describeConfig()) {
        say(
          `${name}=${value}${unit === '' ? '' : ` ${unit}`}${isDefault ? '   (default)' : ''}\n    ${describe}`,
        );
      }
      loadConfig();
    },
  },
  migrate: {
    describe:
      'create or update tables, collections and aliases; --seed also creates the read model and loads the seed',
    options: { seed: { kind: 'flag', describe: 'also create the read model and load the seed' } },
    run: async (input) => {
      const wantsSeed = input.has('seed');
      await withStores(async (config, embedded) => {
        const applied = await prepareStores(config, { readModel: embedded || wantsSeed });
        say(applied.length === 0 ? 'Nothing to apply.' : `Applied: ${applied.join(', ')}`);
        if (wantsSeed) await seedStores(config);
      });
    },
  },
  seed: {
    describe: 'load the seed; existing rows stay unchanged',
    run: async () => {
      await withStores((config) => seedStores(config));
      say('The seed is loaded.');
    },
  },
  reset: {
    describe: 'empty the data directory of the embedded engines',
    options: { yes: { kind: 'flag', describe: 'confirm' } },
    run: async (input) => {
      const dataDir = path.resolve(loadConfig().dataDir);
      if (!input.has('yes')) {
        throw new UsageProblem(`This deletes all data in ${dataDir} for good. To confirm: --yes`);
      }
      await resetData({ dataDir: `${dataDir}/demo` });
      await resetData({ dataDir });
      say(`${dataDir} is empty.`);
    },
  },
};
