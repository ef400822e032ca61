/**
 * The hash of keys.
 *
 * @module
 */

/** Hashes a key with MurmurHash3's mixing, four bytes at a time. The seed keeps others from preparing collisions. */
export function hashKey(bytes: Uint8Array, start: number, length: number, seed: number): number {
  let hash = seed ^ length;
  const end = start + length;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = mix(hash, word);
  }
  let lastWord = 0;
  for (let shift = 0; at < end; at++, shift += 8) lastWord |= bytes[at]! << shift;
  hash = mix(hash, lastWord);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}
