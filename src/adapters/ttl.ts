/**
 * Times to live as caches have them.
 *
 * @module
 */

/** The longest time that the store takes, 140,000 years. */
const LONGEST_MS = 2 ** 52;

/** The option for a write. Nothing, 0 and what is not positive mean no end, and so does a time that is as good as none. */
export function expiryOf(ttlMs: number | undefined): { ttl?: number } {
  return ttlMs !== undefined && ttlMs > 0 && ttlMs < LONGEST_MS ? { ttl: Math.ceil(ttlMs) } : {};
}
