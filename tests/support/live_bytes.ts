/**
 * What an index says of segments.
 *
 * @module
 */
import type { ReadIndex } from "../../src/engine/index.ts";

/** Bytes of the records that the entries of an index point at, by segment. */
export function liveBytesOf(index: ReadIndex): Map<number, number> {
  const bytes = new Map<number, number>();
  index.each(() => {
    if (index.segment !== 0) bytes.set(index.segment, (bytes.get(index.segment) ?? 0) + index.length);
  });
  return bytes;
}
