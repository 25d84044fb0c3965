/** Groups texts into calls of an embedding model. */

/** Limits of one call. Servers reject more than some hundred texts, some hundred thousand tokens or some megabytes. */
const MOST = { texts: 64, tokens: 100_000, bytes: 512 * 1024 };

/** Overestimates on purpose: two tokens per character beyond Latin, one per three others. */
export function estimateTokens(text: string): number {
  const wide = text.match(/[\u0250-\u{10ffff}]/gu)?.length ?? 0;
  return wide * 2 + Math.ceil((text.length - wide) / 3);
}

/** Batches the texts in order within the limits; an oversized text gets a separate call. */
export function callsOf(texts: readonly string[]): string[][] {
  const calls: string[][] = [];
  let [tokens, bytes] = [0, 0];
  for (const text of texts) {
    const size = { tokens: estimateTokens(text), bytes: Buffer.byteLength(text) };
    const last = calls.at(-1);
    const fits =
      last !== undefined &&
      last.length < MOST.texts &&
      tokens + size.tokens <= MOST.tokens &&
      bytes + size.bytes <= MOST.bytes;
    if (fits) last.push(text);
    else {
      calls.push([text]);
      [tokens, bytes] = [0, 0];
    }
    tokens += size.tokens;
    bytes += size.bytes;
  }
  return calls;
}
