/**
 * The checksum of the file format.
 *
 * @module
 */

import { crc32 as zlibCrc32 } from "node:zlib";

/**
 * CRC-32 (the one of zlib, gzip and PNG) of `bytes`, as an unsigned number. `seed` is the checksum of what comes
 * before:
 * `crc32(b, crc32(a))` is the checksum of `a` followed by `b`, which binds a checksum to its place at no cost.
 */
export function crc32(bytes: Uint8Array, seed?: number): number {
  return zlibCrc32(bytes, seed);
}
