/**
 * Times to live, as caches give them.
 *
 * @module
 */

/** The longest time to live that the store takes: 140,000 years. */
const LONGEST_MS = 2 ** 52;

/** The store's option for a time to live. No time, one that is not positive, or one above the limit means no expiry. */
export function expiryOf(ttlMs: number | undefined): { ttl?: number } {
  return ttlMs !== undefined && ttlMs > 0 && ttlMs < LONGEST_MS ? { ttl: Math.ceil(ttlMs) } : {};
}
