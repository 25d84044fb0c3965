/**
 * Finds addresses by their structure: a dot before a top-level domain, a colon or slashes that make a scheme, an IP address. A file name
 * that ends like a domain (`README.md`, `main.py`) counts as an address, because readers' software links it too.
 */
import { createRequire } from 'node:module';
import { isIPv6 } from 'node:net';

const require = createRequire(import.meta.url);
/** The root zone's domains. Imported as JSON, they would make Node 20 warn of an experiment. */
const tlds = require('tlds') as string[];

/** Domains that software opens although the root zone lacks them. */
const PRIVATE = ['local', 'localhost', 'internal', 'lan', 'onion', 'i2p', 'eth', 'test', 'example'];
const DOMAINS: ReadonlySet<string> = new Set([...tlds, ...PRIVATE]);
const HAN_DOMAINS = tlds.filter((domain) => /^\p{Script=Han}/u.test(domain));

/** Some are no words, so that they show an address even where the dot before them is written in another way. */
const NO_WORD = '(?:com|net|org|io|gov|edu|biz|xyz|tw|cn|hk|jp|uk)(?![\\p{Script=Latin}\\d])';

/** A dot and what follows it. `。` separates labels too, but ends the sentence between Han characters. */
const DOT = '(?:\\.|(?<=[\\p{Script=Latin}\\d])。(?=\\p{Script=Latin}))';
const LABEL = '(\\p{Script=Latin}{2,63}(?!\\d)|\\p{Script=Han}{2,5})';
const DOTTED = new RegExp(`(?<=[\\p{L}\\p{N}\\p{M}_-])${DOT}(?=${LABEL})`, 'gu');
/** After a space, as in ` . com`. The platform .NET keeps its name. */
const SPACED = new RegExp(`(?<=\\s)(?!\\.NET(?![\\p{L}\\d]))\\.\\s{0,3}(?=${LABEL})`, 'gu');

/** Of text after NFKC. */
const ADDRESSES: readonly RegExp[] = [
  /@|[(（]\s?at\s?[)）]/iu,
  /\/\s{0,3}\/|(?<!\p{Script=Latin})www(?!\p{Script=Latin})/iu,
  /(?<!\d)(?:\d{1,3}\s?[.。]\s?){3}\d{1,3}(?!\d)/u,
  /\.xn--/iu,
  new RegExp(`(?<=\\p{Script=Latin}|\\d)\\s{0,3}[.。·・•,]\\s{0,3}${NO_WORD}`, 'u'),
  new RegExp(`(?:(?<!\\p{Script=Latin})dot|[點点])[\\s\\-_)"'”’」]{0,4}${NO_WORD}`, 'iu'),
  /\(\s?(?:dot|[點点])\s?\)/iu,
  /(?:javascript|vbscript|data|mailto|tel|sms|file|ftp|https?|hxxps?|blob|wss?|magnet)\s{0,3}:(?=[\p{Script=Latin}\d+/])/iu,
];

/** Before NFKC: only a colon of ASCII makes a scheme or a port of any word; the full-width one separates a term from its meaning. */
const SCHEME =
  /\p{Script=Latin}[\p{Script=Latin}\d+.-]{0,30}\s{0,3}:(?=[\p{Script=Latin}\d+?&%/])/u;

const COLONS = /(?<![\p{Script=Latin}\d:.])[\da-f:.]{3,45}/giu;

/** @param written the text. @param read the same after NFKC. */
export function findLink(written: string, read: string): string | undefined {
  const scheme = SCHEME.exec(written)?.[0];
  if (scheme !== undefined) return scheme;
  for (const pattern of ADDRESSES) {
    const found = pattern.exec(read)?.[0].trim();
    if (found !== undefined) return found;
  }
  return findDomain(read) ?? findIpv6(read);
}

function findDomain(text: string): string | undefined {
  for (const pattern of [DOTTED, SPACED]) {
    for (const [dot, label] of text.matchAll(pattern)) {
      if (isDomain(label!)) return `${dot}${label}`;
    }
  }
  return undefined;
}

/** Chinese puts no spaces between words, so a domain of Han characters may be followed by others. */
function isDomain(label: string): boolean {
  return DOMAINS.has(label.toLowerCase()) || HAN_DOMAINS.some((domain) => label.startsWith(domain));
}

/** Times and ratios have at most three numbers. */
function findIpv6(text: string): string | undefined {
  if (text.includes('::')) return '::';
  return text.match(COLONS)?.find((found) => isIPv6(found.replace(/[.:]+$/u, '')));
}
