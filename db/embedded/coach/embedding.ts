/**
 * Embeddings without a model: hashed character n-grams. Texts that share words get near vectors, in any language.
 */

/** 32-bit FNV-1a and a final mix; without it, the low bits, which `%` keeps, hardly vary between similar texts. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** Hashes each character n-gram of length 1 to 3 to a position and a sign, weighted by length; returns a unit vector. */
export function embed(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  const characters = Array.from(
    text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim(),
  );
  for (let size = 1; size <= 3; size++) {
    for (let start = 0; start + size <= characters.length; start++) {
      const code = hash(`${size}:${characters.slice(start, start + size).join('')}`);
      vector[(code >>> 1) % dimensions]! += (code & 1) === 0 ? size : -size;
    }
  }
  const length = Math.hypot(...vector);
  if (length === 0) vector[0] = 1;
  return length === 0 ? vector : vector.map((value) => value / length);
}
