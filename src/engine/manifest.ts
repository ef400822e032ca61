/**
 * The manifest: the one file that lists the segments of the store, and says how far the log is known to be durable. It
 * is replaced atomically and never changed in place (manifest_file.ts). A file that it does not list does not belong to
 * the store. src/store/directory.ts reads the file.
 *
 * | at | bytes | field |
 * |---:|---:|---|
 * | 0 | 8 | `KVMANIFE` |
 * | 8 | 4 | format version |
 * | 12 | 4 | feature bits: what a reader must know of; none is defined yet |
 * | 16 | 16 | store id |
 * | 32 | 8 | generation: counts the replacements |
 * | 40 | 4 | state: 0 open or crashed, 1 closed cleanly |
 * | 44 | 4 | next segment number |
 * | 48 | 8 | next sequence number |
 * | 56 | 4 + 4 | durable mark: segment number (0: none yet) and offset |
 * | 64 | 8 | history floor: every version written after this sequence number is still in the log |
 * | 72 | 8 | clock floor: the clock never counts as earlier than this, milliseconds since 1970 |
 * | 80 | 4 | number of segments n |
 * | 84 | 36 n | the segments, by number |
 * | 84 + 36 n | 4 | CRC-32 of everything before |
 *
 * A segment: number (4), salt (4), sealed length (4; 0 for the one still being written), lowest, highest and
 * current-as-of sequence number (8 each).
 *
 * @module
 */
import { ENCODER } from "../platform/text.ts";
import { corrupt, KvStoreError } from "../errors.ts";
import { getUint53, setUint53, startsWith } from "../bytes.ts";
import { crc32 } from "../platform/checksum.ts";
import { FORMAT_VERSION, type Segment, SEGMENT_HEADER_BYTES } from "./segment.ts";

/** Name of the manifest in the store's directory. */
export const MANIFEST_NAME = "MANIFEST";
/** A manifest begins with this. */
export const MANIFEST_MAGIC: Uint8Array = ENCODER.encode("KVMANIFE");
const FIXED_BYTES = 84;
const SEGMENT_BYTES = 36;
/**
 * The most segments of a store: 16 TiB of the default size. It bounds what a hostile manifest can ask for. With the
 * smallest segments, of 4 KiB, it is 1 GiB, for which the manifests that writing them takes add up to 1.2 TB.
 */
export const MAX_SEGMENTS: number = 2 ** 18;

/**
 * A place in the log: everything before it has reached the disk.
 *
 * @experimental
 */
export interface Mark {
  /** Segment number; 0 before the first segment. */
  segment: number;
  /** Byte offset in that segment. */
  offset: number;
}

/**
 * What the manifest says about a segment.
 *
 * @experimental
 */
export interface ManifestSegment {
  /** Segment number. */
  number: number;
  /** Salt of its records' checksums. */
  salt: number;
  /** End of its records, once it is sealed; 0 before. */
  sealedBytes: number;
  /** Lowest sequence number in it; `Infinity` if it has no record or is still being written. */
  lowestSequence: number;
  /** Highest sequence number in it; 0 if it has no record or is still being written. */
  highestSequence: number;
  /** No record up to this sequence number has superseded a set in it. */
  currentAsOf: number;
}

/**
 * The content of a manifest.
 *
 * @experimental
 */
export interface Manifest {
  /** Random identity of the store. */
  storeId: Uint8Array;
  /** Counts the replacements. */
  generation: number;
  /** Whether the store was closed properly: then the mark is the end of the log. */
  clean: boolean;
  /** Segment numbers below this are given out or reserved. */
  nextSegment: number;
  /** Sequence numbers below this may have been given out when this manifest was written. */
  nextSequence: number;
  /** The log is durable up to here. */
  mark: Mark;
  /** Every version written after this sequence number is still in the log. */
  historyFloor: number;
  /** The clock never counts as earlier than this (milliseconds since 1970). */
  clockFloor: number;
  /** The segments that make up the store, by number. */
  segments: ManifestSegment[];
}

/** What a manifest is to say about a segment, which may be about to be sealed. */
export function entryOf(segment: Segment, sealed: boolean = segment.sealed): ManifestSegment {
  const { number, salt, currentAsOf, endBytes, lowestSequence, highestSequence } = segment;
  if (!sealed) return { number, salt, sealedBytes: 0, lowestSequence: Infinity, highestSequence: 0, currentAsOf };
  return { number, salt, sealedBytes: endBytes, lowestSequence, highestSequence, currentAsOf };
}

/** The size of a manifest with `segments` segments. */
export function manifestBytes(segments: number): number {
  return FIXED_BYTES + SEGMENT_BYTES * segments + 4;
}

/** The bytes of a manifest. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(manifestBytes(manifest.segments.length));
  const view = new DataView(bytes.buffer);
  bytes.set(MANIFEST_MAGIC, 0);
  view.setUint32(8, FORMAT_VERSION, true);
  bytes.set(manifest.storeId, 16);
  setUint53(view, 32, manifest.generation);
  view.setUint32(40, manifest.clean ? 1 : 0, true);
  view.setUint32(44, manifest.nextSegment, true);
  setUint53(view, 48, manifest.nextSequence);
  view.setUint32(56, manifest.mark.segment, true);
  view.setUint32(60, manifest.mark.offset, true);
  setUint53(view, 64, manifest.historyFloor);
  setUint53(view, 72, manifest.clockFloor);
  view.setUint32(80, manifest.segments.length, true);
  manifest.segments.forEach((segment, i) => {
    const at = FIXED_BYTES + SEGMENT_BYTES * i;
    view.setUint32(at, segment.number, true);
    view.setUint32(at + 4, segment.salt, true);
    view.setUint32(at + 8, segment.sealedBytes, true);
    setUint53(view, at + 12, segment.lowestSequence === Infinity ? 0 : segment.lowestSequence);
    setUint53(view, at + 20, segment.highestSequence);
    setUint53(view, at + 28, segment.currentAsOf);
  });
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true);
  return bytes;
}

/**
 * Reads a manifest from its bytes. Throws `CORRUPT` or `FORMAT`.
 *
 * @experimental
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - 4;
  check(end >= FIXED_BYTES, 0, `${bytes.length} bytes are too few`);
  check(startsWith(bytes, MANIFEST_MAGIC), 0, "not a manifest");
  check(crc32(bytes.subarray(0, end)) === view.getUint32(end, true), end, "checksum of the manifest");
  const version = view.getUint32(8, true);
  const features = view.getUint32(12, true);
  if (version !== FORMAT_VERSION || features !== 0) {
    const found = `format version ${version} with feature bits ${features}`;
    throw new KvStoreError("FORMAT", `${MANIFEST_NAME}: ${found}; this version reads ${FORMAT_VERSION} without any`);
  }
  const count = view.getUint32(80, true);
  check(bytes.length === manifestBytes(count), 80, "number of segments");
  check(view.getUint32(40, true) <= 1, 40, "an unknown state");
  const manifest: Manifest = {
    storeId: bytes.slice(16, 32),
    generation: getUint53(view, 32),
    clean: view.getUint32(40, true) === 1,
    nextSegment: view.getUint32(44, true),
    nextSequence: getUint53(view, 48),
    mark: { segment: view.getUint32(56, true), offset: view.getUint32(60, true) },
    historyFloor: getUint53(view, 64),
    clockFloor: getUint53(view, 72),
    segments: Array.from({ length: count }, (_, i) => decodeSegment(view, FIXED_BYTES + SEGMENT_BYTES * i)),
  };
  checkManifest(manifest);
  return manifest;
}

function decodeSegment(view: DataView, at: number): ManifestSegment {
  return {
    number: view.getUint32(at, true),
    salt: view.getUint32(at + 4, true),
    sealedBytes: view.getUint32(at + 8, true),
    lowestSequence: getUint53(view, at + 12) || Infinity,
    highestSequence: getUint53(view, at + 20),
    currentAsOf: getUint53(view, at + 28),
  };
}

/** Checks that the numbers do not contradict one another, which a checksum does not show. */
function checkManifest(manifest: Manifest): void {
  const { generation, nextSegment, nextSequence, mark, historyFloor, clockFloor, segments } = manifest;
  const isOrdered = segments.every(({ number }, i) => number > (segments[i - 1]?.number ?? 0));
  check(isOrdered && (segments.at(-1)?.number ?? 0) < nextSegment, FIXED_BYTES, "segment numbers out of order");
  const isMarked = segments.every(({ number, sealedBytes }) => sealedBytes > 0 || number === mark.segment);
  check(isMarked, 56, "the durable mark is not in the segment being written");
  const haveHeaders = segments.every(({ sealedBytes }) => (sealedBytes || mark.offset) >= SEGMENT_HEADER_BYTES);
  check(haveHeaders, FIXED_BYTES, "a segment that ends within its header");
  // No store replaces its manifest 2^52 times: none that opens can use the generations up.
  const numbers = [2 * generation, nextSequence, historyFloor, clockFloor];
  check(numbers.every(Number.isSafeInteger), 32, "a number that no store reaches");
  // A number above 2^53 is read as Infinity.
  const isGivenOut = segments.every((one) => one.highestSequence < Infinity && one.currentAsOf < nextSequence);
  check(isGivenOut, 48, "sequence numbers that have not been given out");
}

/** Throws `CORRUPT` unless a condition holds that every manifest meets. */
function check(holds: boolean, at: number, reason: string): void {
  if (!holds) throw corrupt(MANIFEST_NAME, at, reason);
}
