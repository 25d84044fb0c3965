/**
 * Postgres refuses to run as root: the unprivileged account root lends it, and how it reaches its files then.
 */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Account } from '../host/server.ts';

/**
 * Whom to run as. Root lends the account that owns the data, else `postgres`, else `nobody`
 * (it must stand in /etc/passwd: initdb looks its name up).
 * @returns undefined for an ordinary user, whose own account does.
 */
export function unprivilegedAccount(dataFolder: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(dataFolder, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const passwd = readFileSync('/etc/passwd', 'utf8');
  for (const name of ['postgres', 'nobody']) {
    const [, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(passwd) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    'Postgres does not run as root, and there is neither a "postgres" nor a "nobody" account to lend it. ' +
      'Run as an ordinary user, or set DATABASE_URL.',
  );
}

export interface Launch {
  command: string;
  args: string[];
  account: Account | undefined;
}

/**
 * How to run a program as that account. Under a folder closed to it (a checkout in /root), it could reach neither the
 * program nor its data: there `setpriv` changes the account and keeps the one capability that opens folders, so that
 * everything stays where it is.
 */
export function launchAs(
  account: Account | undefined,
  command: string,
  args: string[],
  folders: readonly string[],
): Launch {
  const closed = account && folders.map((folder) => closedAncestor(folder, account)).find(Boolean);
  if (account === undefined || closed === undefined) return { command, args, account };
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => isExecutable(file));
  if (setpriv === undefined) {
    throw new Error(
      `Postgres does not run as root, and no other account may enter ${closed}. ` +
        `Move the project, run \`chmod o+x ${closed}\`, run as an ordinary user, or set DATABASE_URL.`,
    );
  }
  const become = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  const keep = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  // Without it, access(2) would judge by the account alone, and initdb uses that to find its programs.
  const honour = ['--securebits=+no_setuid_fixup'];
  return {
    command: setpriv,
    args: [...become, ...keep, ...honour, command, ...args],
    account: undefined,
  };
}

/** The outermost folder on the way to `file` that the account may not enter. */
function closedAncestor(file: string, { uid, gid }: Account): string | undefined {
  const parent = path.dirname(file);
  const above = parent === file ? undefined : closedAncestor(parent, { uid, gid });
  if (above !== undefined) return above;
  const folder = statSync(file, { throwIfNoEntry: false });
  if (folder === undefined || !folder.isDirectory()) return undefined;
  const bit = folder.uid === uid ? 0o100 : folder.gid === gid ? 0o010 : 0o001;
  return (folder.mode & bit) === 0 ? file : undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
