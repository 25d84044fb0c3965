/** The output of `npm start` on embedded stores: tokens of demo users and commands to paste. */
import { signToken } from '../api/http/auth.ts';
import { SETTINGS, type ResolvedConfig } from '../base/config.ts';
import { SEED_USERS } from '../db/seed/seed.ts';
import { SEED_PRACTICES } from '../db/seed/practices.ts';

/** 30 days. */
const TOKEN_SECONDS = 30 * 24 * 3600;

/** Names the data directory and the command that empties it. */
export function aboutData(dataDir: string): string {
  const isDefault = dataDir === SETTINGS.DATA_DIR.default;
  const setting = isDefault ? '' : `DATA_DIR=${quoted(dataDir)} `;
  return `  data in ${dataDir} (${setting}npm run cli -- reset --yes empties it)`;
}

/** A token per seed user, then commands that work as they are in a shell. */
export async function greeting(config: ResolvedConfig, origin: string): Promise<string[]> {
  const practice = SEED_PRACTICES.find(({ status }) => status === 'completed')!;
  const lines = ['', 'Demo tokens:'];
  for (const user of SEED_USERS) {
    if (user.externalId === practice.owner.externalId) continue;
    lines.push(`  ${user.nickname} (${user.locale})`, `    ${await tokenOf(config, user)}`);
  }
  const url = `${origin}/practices/${practice.externalId}/feedback`;
  const cards = `${origin}/users/me/recommendations`;
  const taskId = `sed 's/.*"task_id":"\\([^"]*\\).*/\\1/'`;
  const authorization = '-H "Authorization: Bearer $TOKEN"';
  return [
    ...lines,
    '',
    `Try it, as ${practice.owner.nickname} (${practice.owner.locale}):`,
    `  TOKEN=${await tokenOf(config, practice.owner)}`,
    `  TASK=$(curl -s -X POST ${url} ${authorization} | ${taskId}); echo $TASK`,
    `  curl -s -w '\\n' "${origin}/tasks/$TASK?wait=20" ${authorization}`,
    `  curl -s -w '\\n' ${url} ${authorization}`,
    '',
    'Refresh recommendations:',
    `  TASK=$(curl -s -X POST ${cards}/refresh ${authorization} | ${taskId})`,
    `  curl -s -o /dev/null "${origin}/tasks/$TASK?wait=20" ${authorization}; curl -s -w '\\n' ${cards} ${authorization}`,
    '',
    `Schedules, for admins (${practice.owner.nickname} again, with the role admin):`,
    `  ADMIN=${await tokenOf(config, practice.owner, ['user', 'admin'])}`,
    `  curl -s -w '\\n' ${origin}/schedules -H "Authorization: Bearer $ADMIN"`,
    ...(config.logLevel === 'debug'
      ? []
      : ['', 'To see every request and job in the log: LOG_LEVEL=debug npm start']),
  ];
}

function tokenOf(
  { jwtSecurity }: ResolvedConfig,
  { id, externalId, nickname }: (typeof SEED_USERS)[number],
  roles = ['user'],
): Promise<string> {
  const identity = { id, _id: externalId, username: nickname };
  const claims = { ...identity, isTemp: false, roles, permissions: [] };
  return signToken(jwtSecurity, claims, { expiresInSeconds: TOKEN_SECONDS });
}

function quoted(text: string): string {
  return /^[\w./~+:@%-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
