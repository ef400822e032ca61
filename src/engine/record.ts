/**
 * The record: what one write looks like on disk. All numbers are little-endian.
 *
 * | at | bytes | field |
 * |---:|---:|---|
 * | 0 | 4 | header checksum: CRC-32 of bytes 4 up to the end of the key |
 * | 4 | 4 | value checksum: CRC-32 of the value |
 * | 8 | 1 | kind: 1 set, 2 delete (a tombstone), 3 clear, 4 mark |
 * | 9 | 1 | flags: bit 0 the key was given as a string; bits 1–2 type of the value; bit 3 the batch goes on; bit 4 expires |
 * | 10 | 2 | key length in bytes |
 * | 12 | 4 | value length in bytes |
 * | 16 | 8 | sequence number |
 * | 24 | 8 | time of expiry, milliseconds since 1970 (only with flag bit 4) |
 * | … | | key, then value |
 *
 * `set("a", "b")` as the first record of a segment with salt 0:
 * `e3 fe db ee 1a 83 66 43 01 03 01 00 01 00 00 00 01 00 00 00 00 00 00 00 61 62`.
 *
 * There are two checksums, so that a record with a damaged value still has its key and length, and a scan goes on after
 * it. Both are seeded with the segment's random salt and the record's offset. So a stale or swapped page, or a copy of
 * a segment inside a value, fails the check at a place that it was not written for.
 *
 * @module
 */
import { getUint53, setUint53 } from "../bytes.ts";
import { crc32, crc32Pair, reseeded } from "../platform/checksum.ts";

/** Bytes before the expiry or the key. */
export const RECORD_HEADER_BYTES = 24;
/** Most bytes of a key: its length is a 16-bit field. */
export const MAX_KEY_BYTES = 65_535;
/** Bytes of the tombstone, without its key, that compaction may keep of a record that has expired. */
export const GRAVE_BYTES: number = RECORD_HEADER_BYTES + 8;
/** Most bytes of an encoded value. */
export const MAX_VALUE_BYTES: number = 64 * 1024 * 1024;
/** Highest sequence number. Above it a `number` is not exact. */
export const MAX_SEQUENCE: number = Number.MAX_SAFE_INTEGER;
/** Above this sequence number no write begins. That leaves room for a batch, and for numbers that recovery skips. */
export const LAST_SEQUENCE: number = MAX_SEQUENCE - 2 ** 33;

/**
 * What a record does.
 *
 * @experimental
 */
export const KIND = { set: 1, delete: 2, clear: 3, mark: 4 } as const;
/**
 * One of the numbers in `KIND`.
 *
 * @experimental
 */
export type Kind = typeof KIND[keyof typeof KIND];

/**
 * How a value was given, and so how it is given back.
 *
 * @experimental
 */
export const VALUE_TYPE = { bytes: 0, utf8: 1, json: 2, utf16: 3 } as const;

/**
 * Flag: the key was given as a string.
 *
 * @experimental
 */
export const FLAG_STRING_KEY = 1;
/**
 * Flag: the next record belongs to the same batch.
 *
 * @experimental
 */
export const FLAG_MORE = 8;
/**
 * Flag: an expiry stands between header and key.
 *
 * @experimental
 */
export const FLAG_EXPIRES = 16;
const KNOWN_FLAGS = 31;
const VALUE_TYPE_SHIFT = 1;

/** Bytes of the value of a durable mark: segment number and offset. */
export const MARK_VALUE_BYTES = 8;
/** Bytes of a whole durable mark. */
export const MARK_BYTES: number = RECORD_HEADER_BYTES + MARK_VALUE_BYTES;

/**
 * The value type in a record's flags.
 *
 * @experimental
 */
export function valueTypeOf(flags: number): number {
  return (flags >> VALUE_TYPE_SHIFT) & 3;
}

/** The flags of a key given as a string or not, and a value of that type. */
export function flagsOf(keyIsString: boolean, valueType: number): number {
  return (keyIsString ? FLAG_STRING_KEY : 0) | (valueType << VALUE_TYPE_SHIFT);
}

/** Bytes between the start of a record and its key. */
export function keyStartOf(flags: number): number {
  return RECORD_HEADER_BYTES + ((flags & FLAG_EXPIRES) === 0 ? 0 : 8);
}

/**
 * When the record at `at` expires, in milliseconds since 1970; 0: never. Its key must be there, as for its checksum.
 */
export function expiryOf(view: DataView, at: number, flags: number): number {
  // 0 stands for "never", so a record that expires at time 0 expires one millisecond later.
  return (flags & FLAG_EXPIRES) === 0 ? 0 : Math.max(1, getUint53(view, at + RECORD_HEADER_BYTES));
}

/** The seed that binds a record's checksums to its place. */
export function placeSeed(salt: number, offset: number): number {
  return (salt ^ offset) >>> 0;
}

/**
 * An array that holds records, and a view on it to read their numbers.
 *
 * @experimental
 */
export interface RecordBuffer {
  /** The bytes. */
  bytes: Uint8Array;
  /** A view on the same bytes. */
  view: DataView;
}

/** A buffer of `lengthBytes` bytes. */
export function recordBuffer(lengthBytes: number): RecordBuffer {
  const bytes = new Uint8Array(lengthBytes);
  return { bytes, view: new DataView(bytes.buffer) };
}

/**
 * The fields of a header. `readHeader` fills them in, so that one object serves for millions of records.
 *
 * @experimental
 */
export class RecordHeader {
  /** What the record does. */
  kind = 0;
  /** Its flags. */
  flags = 0;
  /** Bytes of the key. */
  keyLength = 0;
  /** Bytes of the value. */
  valueLength = 0;
  /** Its sequence number. */
  sequence = 0;
  /** Bytes from the record's start to its key. */
  keyStart = 0;
  /** Bytes of the whole record. */
  length = 0;
}

/** The fields of a header that are known before the record has a place. */
type WrittenFields = Pick<RecordHeader, "kind" | "flags" | "keyLength" | "valueLength">;

/** Writes the fields that are known before the record has a place. Key and value must be in the buffer already. */
export function writeHeader(view: DataView, at: number, fields: WrittenFields): void {
  view.setUint8(at + 8, fields.kind);
  view.setUint8(at + 9, fields.flags);
  view.setUint16(at + 10, fields.keyLength, true);
  view.setUint32(at + 12, fields.valueLength, true);
}

/** Gives a record its sequence number and the checksums for its place. Nothing of it may change afterwards. */
export function stampRecord(buffer: RecordBuffer, at: number, stamp: { sequence: number; seed: number }): void {
  const { bytes, view } = buffer;
  const valueStart = valueStartOf(view, at);
  setUint53(view, at + 16, stamp.sequence);
  view.setUint32(at + 4, crc32(bytes, stamp.seed, valueStart, valueStart + view.getUint32(at + 12, true)), true);
  view.setUint32(at, crc32(bytes, stamp.seed, at + 4, valueStart), true);
}

/**
 * Adapts a record to a new place: its checksums, and that it belongs to no batch there. `difference` is the exclusive or
 * of the seeds of both places. The checksums are converted, not computed from the bytes, so that they still show damage
 * that happened before.
 */
export function moveRecord(view: DataView, at: number, header: RecordHeader, difference: number): void {
  const { flags, keyLength, keyStart, valueLength } = header;
  const headerBytes = keyStart + keyLength - 4;
  const ofValue = view.getUint32(at + 4, true);
  const movedOfValue = reseeded(ofValue, valueLength, difference);
  // The value's checksum is the first word of what the header's is computed of: a change of it acts like one of the seed.
  let ofHeader = reseeded(view.getUint32(at, true), headerBytes, difference ^ ofValue ^ movedOfValue);
  if ((flags & FLAG_MORE) !== 0) {
    // The flags are the sixth byte of that.
    ofHeader = reseeded(ofHeader, headerBytes - 5, FLAG_MORE);
    view.setUint8(at + 9, flags & ~FLAG_MORE);
  }
  view.setUint32(at + 4, movedOfValue, true);
  view.setUint32(at, ofHeader, true);
}

function valueStartOf(view: DataView, at: number): number {
  return at + keyStartOf(view.getUint8(at + 9)) + view.getUint16(at + 10, true);
}

/** Writes a whole durable mark at `at`, all but sequence number and checksums. */
export function writeMark(view: DataView, at: number, mark: { segment: number; offset: number }): void {
  writeHeader(view, at, { kind: KIND.mark, flags: 0, keyLength: 0, valueLength: MARK_VALUE_BYTES });
  view.setUint32(at + RECORD_HEADER_BYTES, mark.segment, true);
  view.setUint32(at + RECORD_HEADER_BYTES + 4, mark.offset, true);
}

/**
 * Reads the durable mark at `at`.
 *
 * @experimental
 */
export function readMark(view: DataView, at: number): { segment: number; offset: number } {
  return {
    segment: view.getUint32(at + RECORD_HEADER_BYTES, true),
    offset: view.getUint32(at + RECORD_HEADER_BYTES + 4, true),
  };
}

/**
 * Reads the header at `at`. Returns whether its fields make sense if the file ends after `leftBytes`. It does not check
 * the checksum, as that needs the key, whose length is known and bounded only after this.
 */
export function readHeader(view: DataView, at: number, leftBytes: number, header: RecordHeader): boolean {
  const kind = view.getUint8(at + 8);
  const flags = view.getUint8(at + 9);
  header.kind = kind;
  header.flags = flags;
  header.keyLength = view.getUint16(at + 10, true);
  header.valueLength = view.getUint32(at + 12, true);
  header.keyStart = keyStartOf(flags);
  header.length = header.keyStart + header.keyLength + header.valueLength;
  header.sequence = getUint53(view, at + 16);
  if (kind < KIND.set || kind > KIND.mark || (flags & ~KNOWN_FLAGS) !== 0) return false;
  if (header.valueLength > MAX_VALUE_BYTES || header.length > leftBytes) return false;
  if (kind === KIND.mark && (header.keyLength !== 0 || header.valueLength !== MARK_VALUE_BYTES)) return false;
  return header.sequence > 0 && header.sequence < Infinity;
}

/** Whether the checksum of header and key at `at` is right. */
export function headerIsIntact({ bytes, view }: RecordBuffer, at: number, header: RecordHeader, seed: number): boolean {
  if (crc32(bytes, seed, at + 4, at + header.keyStart + header.keyLength) !== view.getUint32(at, true)) return false;
  return (header.flags & FLAG_EXPIRES) === 0 || expiryOf(view, at, header.flags) < Infinity;
}

/** Whether both checksums of the record at `at` are right. Takes less time than one after the other. */
export function recordIsIntact(buffer: RecordBuffer, at: number, header: RecordHeader, seed: number): boolean {
  const valueStart = at + header.keyStart + header.keyLength;
  const { first, second } = crc32Pair(buffer, seed, at + 4, valueStart, at + header.length);
  if (first !== buffer.view.getUint32(at, true) || second !== buffer.view.getUint32(at + 4, true)) return false;
  return (header.flags & FLAG_EXPIRES) === 0 || expiryOf(buffer.view, at, header.flags) < Infinity;
}

/** Whether the checksum of the value of the record at `at` is right. */
export function valueIsIntact({ bytes, view }: RecordBuffer, at: number, header: RecordHeader, seed: number): boolean {
  const start = at + header.keyStart + header.keyLength;
  return crc32(bytes, seed, start, at + header.length) === view.getUint32(at + 4, true);
}
