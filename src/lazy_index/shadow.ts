/**
 * Copies of segments in which bytes can be counted a second time.
 *
 * @module
 */
import { Segment, SEGMENT_HEADER_BYTES } from "../engine/segment.ts";

/** A segment with the same file and extent, in which nothing is counted yet. */
export function shadowOf({ number, salt, headerBytes, handle, endBytes }: Segment): Segment {
  const inputs: number[] = new Array((headerBytes - SEGMENT_HEADER_BYTES) / 4).fill(0);
  return new Segment({ number, storeId: new Uint8Array(0), salt, inputs }, handle, { endBytes, sealed: true });
}
