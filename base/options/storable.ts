/** Text that Postgres and UTF-8 can carry: it has no NUL character and no unpaired surrogate. */

export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Whether all strings and keys in JSON text from `JSON.stringify`, which escapes what cannot be stored, are storable. */
export function isStorableJson(text: string): boolean {
  return !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text);
}
