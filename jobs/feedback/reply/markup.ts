/** Finds Markdown and HTML: their signs are allowed only where neither reads them. */

const MARKDOWN: readonly RegExp[] = [
  /[*＊`｀|｜[\]［］{}｛｝\\＼^＾＃＿]/u,
  // Names such as C# and F#, but no headings and hashtags.
  /(?<!(?<![\p{L}\p{N}])[A-Z])#|#(?=[\p{L}\p{N}#])/u,
  // Within file names, but no emphasis.
  /(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u,
  // A single one is a range; two strike out what is between them.
  /~[^~]*~/u,
  /-{3}|={2}|\+{3}/u,
  // Items of lists, at the start or where a line break was.
  /^\s*(?:[-+•·‧・=]|\d{1,9}[.)])(?:\s|$)/u,
  /[.!?。！？:：;；]\s*(?:[-+•]|1[.)])\s/u,
];

const HTML: readonly RegExp[] = [
  /[<>＜＞]/u,
  // Only apart, as in `Q & A`, or between capitals, as in `R&D`: browsers read `&lt` as an entity, with or without a semicolon.
  /(?<![A-Z\s])&|(?<=[A-Z])&(?![A-Z](?![A-Za-z\d;]))|(?<=\s)&(?!\s)|^&/u,
  /%[\da-f]{2}/iu,
];

const HEADING = /[【〖][^】〗]{0,20}[】〗]?|[】〗]/u;

export function findMarkdown(text: string): string | undefined {
  return firstOf(MARKDOWN, text);
}

export function findTag(text: string): string | undefined {
  return firstOf(HTML, text);
}

export function findHeading(text: string): string | undefined {
  return HEADING.exec(text)?.[0];
}

function firstOf(patterns: readonly RegExp[], text: string): string | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) return found;
  }
  return undefined;
}
