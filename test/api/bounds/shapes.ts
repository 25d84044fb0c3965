/**
 * The worst that a request may carry: every shape as large as the route takes.
 */

const EVENTS = /\/events$/;

/** What a route takes, in bytes. */
export const limitOf = (url: string): number =>
  EVENTS.test(url) && !url.startsWith('/internal') ? 2 * 1024 * 1024 : 256 * 1024;

/** A text of at most so many bytes, made of parts. */
function fill(bytes: number, part: (index: number) => string, between = ','): string {
  const parts: string[] = [];
  let left = bytes;
  for (let index = 0; ; index++) {
    const next = part(index);
    left -= Buffer.byteLength(next) + between.length;
    if (left < 0) break;
    parts.push(next);
  }
  return parts.join(between);
}

/** JSON values of about so many bytes. */
export function worstValues(bytes: number): Record<string, string> {
  const nested = (open: string, close: string, depth: number): string =>
    `${open.repeat(depth)}0${close.repeat(depth)}`;
  return {
    zeros: `[${fill(bytes - 2, () => '0')}]`,
    'empty objects': `[${fill(bytes - 2, () => '{}')}]`,
    keys: `{${fill(bytes - 2, (index) => `"k${index}":0`)}}`,
    'the same key': `{${fill(bytes - 2, () => '"a":0')}}`,
    'a long text': `"${fill(bytes - 2, () => 'x', '')}"`,
    'a long text of three-byte letters': `"${fill(bytes - 2, () => '啊', '')}"`,
    'a text of escapes': `"${fill(bytes - 2, () => String.raw`\u0001`, '')}"`,
    'a text of quotes': `"${fill(bytes - 2, () => String.raw`\"`, '')}"`,
    'a text of halves of pairs': `"${fill(bytes - 2, () => String.raw`\ud800`, '')}"`,
    'a long number': fill(bytes, () => '9', ''),
    'deep lists': nested('[', ']', Math.floor(bytes / 2) - 1),
    'deep objects': nested('{"a":', '}', Math.floor(bytes / 6) - 1),
    '32 levels, again and again': `[${fill(bytes - 2, () => nested('[', ']', 29))}]`,
    'long keys': `{${fill(bytes - 2, (index) => `"${String(index).padStart(2000, 'k')}":0`)}}`,
    'values as many as are taken': `[${fill(bytes - 2, () => '0', ',').slice(0, 2 * 9900)}0]`,
    'lists in lists': `[${fill(bytes - 2, () => '[0,0,0,0]')}]`,
  };
}

/** Events that are refused each for itself, at most `most`. */
export function worstEvents(bytes: number, valid: object): Record<string, string> {
  const batch = (part: (index: number) => string): string =>
    `{"events":[${fill(bytes - 14, part)}]}`;
  const some = (many: number, part: (index: number) => string): string =>
    `{"events":[${Array.from({ length: many }, (_, index) => part(index)).join(',')}]}`;
  const room = Math.floor(bytes / 500) - 300;
  const long = (text: string): string =>
    text.repeat(Math.floor(room / (JSON.stringify(text).length - 2 || 1) / 2));
  const withFields = (fields: object): string => JSON.stringify({ ...valid, ...fields });
  return {
    '500 valid events': some(500, (index) =>
      withFields({
        event_id: `0b2f6f1e-52a4-4f0c-9d5b-${String(index).padStart(12, '0')}`,
        page: '😀'.repeat(512),
      }),
    ),
    'events with a long page': some(500, () => withFields({ page: long('😀') })),
    'events with a long unknown key': some(500, () => withFields({ [long('\u0001')]: 0 })),
    'events of many unknown keys': batch(
      () => `{${Array.from({ length: 1500 }, (_, index) => `"k${index}":0`).join(',')}}`,
    ),
    'one event of many unknown keys': `{"events":[{${Array.from({ length: 9900 }, (_, index) => `"k${index}":0`).join(',')}}]}`,
    'events without anything': some(4900, () => '{}'),
    'valid events, as many as fit': batch(() => JSON.stringify(valid)),
    'texts for events': some(9900, () => '""'),
  };
}

/** Queries and headers of at most so many bytes. */
export function worstQueries(names: readonly string[], bytes: number): Record<string, string> {
  const shapes: Record<string, string> = {
    'unknown names': fill(bytes, (index) => `k${index}=`, '&'),
    'the same unknown name': fill(bytes, () => 'a', '&'),
    brackets: fill(bytes, () => 'a[]=1', '&'),
    'only separators': '&'.repeat(bytes),
    escapes: fill(bytes, () => '%41', ''),
  };
  for (const name of names) {
    shapes[`${name} again and again`] = fill(bytes, (index) => `${name}=${index}`, '&');
    shapes[`a long ${name}`] = `${name}=${'9'.repeat(bytes)}`;
    shapes[`${name} of commas`] = `${name}=${',a'.repeat(bytes / 2)}`;
    shapes[`${name} within its length`] = `${name}=${',a'.repeat(1999)}`;
    shapes[`${name} 200 times`] = fill(bytes, () => `${name}=${'a,'.repeat(35)}`, '&');
  }
  return shapes;
}
