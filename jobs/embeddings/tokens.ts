/**
 * How texts are put into calls of an embedding model.
 */

/** Most of one call: servers refuse more than some hundred texts, some hundred thousand tokens or some megabytes. */
const MOST = { texts: 64, tokens: 100_000, bytes: 512 * 1024 };

/** About how many tokens a text has, rather too many: two for each character beyond Latin, one for three others. */
export function estimateTokens(text: string): number {
  const wide = text.match(/[\u0250-\u{10ffff}]/gu)?.length ?? 0;
  return wide * 2 + Math.ceil((text.length - wide) / 3);
}

/** The texts in order, as few calls as the limits allow; a text beyond them is a call of its own. */
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
