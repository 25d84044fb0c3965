/**
 * Postgres refuses to run as root, so root launches it under an unprivileged account.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Account } from '../host/server.ts';

/**
 * Picks the owner of the data, else `postgres`, else `nobody`; initdb looks the name up in /etc/passwd.
 * @returns undefined if this process does not run as root. @throws if there is no such account.
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

/**
 * If the account may not enter a folder (a checkout in /root), `setpriv` switches the account but keeps the capability to
 * enter folders. @throws if setpriv is missing then.
 */
export function launchAs(
  account: Account | undefined,
  command: string,
  args: string[],
  folders: readonly string[],
): { command: string; args: string[]; account: Account | undefined } {
  const closed = account && folders.map((folder) => closedAncestor(folder, account)).find(Boolean);
  if (account === undefined || closed === undefined) return { command, args, account };
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((file) => existsSync(file));
  if (setpriv === undefined) {
    throw new Error(
      `Postgres does not run as root, and no other account may enter ${closed}. ` +
        `Move the project, run \`chmod o+x ${closed}\`, run as an ordinary user, or set DATABASE_URL.`,
    );
  }
  const become = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  const keep = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  // Otherwise access(2), with which initdb finds its programs, would ignore the capability.
  const honour = ['--securebits=+no_setuid_fixup'];
  return {
    command: setpriv,
    args: [...become, ...keep, ...honour, command, ...args],
    account: undefined,
  };
}

/** The outermost folder on the path that the account may not enter. */
function closedAncestor(file: string, { uid, gid }: Account): string | undefined {
  const parent = path.dirname(file);
  const above = parent === file ? undefined : closedAncestor(parent, { uid, gid });
  if (above !== undefined) return above;
  const folder = statSync(file, { throwIfNoEntry: false });
  if (folder === undefined || !folder.isDirectory()) return undefined;
  const bit = folder.uid === uid ? 0o100 : folder.gid === gid ? 0o010 : 0o001;
  return (folder.mode & bit) === 0 ? file : undefined;
}
