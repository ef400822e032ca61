/**
 * Where the fields of a store's files are, for putting hostile numbers into them, and a reading of the log that owes
 * nothing to the library's: what a store holds that is intact.
 *
 * @module
 */
import { crc32 } from "../../../src/platform/checksum.ts";

/** A store as bytes, by the names of its files. */
export type Files = Map<string, Uint8Array>;

/** A field: where it is and how many bytes it has. */
export type Field = [at: number, bytes: number];

/** Fields of the MANIFEST before the list of segments. */
export const MANIFEST_FIELDS: Record<string, Field> = {
  magic: [0, 8],
  version: [8, 4],
  features: [12, 4],
  storeId: [16, 8],
  generation: [32, 8],
  state: [40, 4],
  nextSegment: [44, 4],
  nextSequence: [48, 8],
  markSegment: [56, 4],
  markOffset: [60, 4],
  historyFloor: [64, 8],
  clockFloor: [72, 8],
  count: [80, 4],
};
/** Fields of each segment in the MANIFEST, from the start of its entry. */
export const LISTED_FIELDS: Record<string, Field> = {
  number: [0, 4],
  salt: [4, 4],
  sealed: [8, 4],
  lowest: [12, 8],
  highest: [20, 8],
  currentAsOf: [28, 8],
};
/** Fields of a segment's header. */
export const SEGMENT_FIELDS: Record<string, Field> = {
  magic: [0, 8],
  version: [8, 4],
  number: [12, 4],
  storeId: [16, 8],
  salt: [32, 4],
  inputs: [36, 4],
};
/** Fields of a record's header. */
export const RECORD_FIELDS: Record<string, Field> = {
  kind: [8, 1],
  flags: [9, 1],
  keyLength: [10, 2],
  valueLength: [12, 4],
  sequence: [16, 8],
};

/** Where the entry of a segment in the MANIFEST starts. */
export const listedAt = (i: number): number => 84 + 36 * i;

/** A view on bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A record as its header has it. */
export interface LaidRecord {
  offset: number;
  kind: number;
  flags: number;
  sequence: number;
  keyStart: number;
  valueStart: number;
  end: number;
}

/** The record at `offset`, if its lengths fit the file. */
export function recordAt(bytes: Uint8Array, offset: number): LaidRecord | undefined {
  if (offset + 24 > bytes.length) return undefined;
  const view = viewOf(bytes);
  const flags = bytes[offset + 9]!;
  const keyStart = offset + ((flags & 16) === 0 ? 24 : 32);
  const valueStart = keyStart + view.getUint16(offset + 10, true);
  const end = valueStart + view.getUint32(offset + 12, true);
  const sequence = Number(view.getBigUint64(offset + 16, true));
  return end > bytes.length
    ? undefined
    : { offset, kind: bytes[offset + 8]!, flags, sequence, keyStart, valueStart, end };
}

/** Where the records of a segment start. */
export function headerBytesOf(bytes: Uint8Array): number {
  return bytes.length < 44 ? bytes.length : Math.min(44 + 4 * viewOf(bytes).getUint32(36, true), bytes.length);
}

/** The records of a segment, one behind the other, as long as they fit the file. */
export function recordsOf(bytes: Uint8Array): LaidRecord[] {
  const records: LaidRecord[] = [];
  for (let offset = headerBytesOf(bytes);;) {
    const record = recordAt(bytes, offset);
    if (record === undefined || record.kind === 0) return records;
    records.push(record);
    offset = record.end;
  }
}

/** The seed of a record's checksums. */
export function seedOf(bytes: Uint8Array, offset: number): number {
  return (viewOf(bytes).getUint32(32, true) ^ offset) >>> 0;
}

/** When a record expires; 0: never. */
function expiryOf(bytes: Uint8Array, { offset, flags }: LaidRecord): number {
  return (flags & 16) === 0 ? 0 : Math.max(1, Number(viewOf(bytes).getBigUint64(offset + 24, true)));
}

/** Whether all of a record checks out. */
export function isIntact(bytes: Uint8Array, record: LaidRecord): boolean {
  const { offset, valueStart, end } = record;
  const [view, seed] = [viewOf(bytes), seedOf(bytes, offset)];
  return expiryOf(bytes, record) <= Number.MAX_SAFE_INTEGER &&
    crc32(bytes.subarray(offset + 4, valueStart), seed) === view.getUint32(offset, true) &&
    crc32(bytes.subarray(valueStart, end), seed) === view.getUint32(offset + 4, true);
}

/** Bytes in hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A value with its type, as one text. */
function valueText(bytes: Uint8Array, { flags, valueStart, end }: LaidRecord): string {
  return `${(flags >> 1) & 3}:${hex(bytes.subarray(valueStart, end))}`;
}

/** Every value that stands in the log, by key, in hexadecimal; each with its type in front. */
export function writtenIn(files: Files): Map<string, Set<string>> {
  const written = new Map<string, Set<string>>();
  for (const [name, bytes] of files) {
    if (!name.endsWith(".seg")) continue;
    for (const record of recordsOf(bytes)) {
      if (record.kind !== 1) continue;
      const key = hex(bytes.subarray(record.keyStart, record.valueStart));
      written.set(key, (written.get(key) ?? new Set()).add(valueText(bytes, record)));
    }
  }
  return written;
}

interface Newest {
  sequence: number;
  value: string | undefined;
}

/**
 * What the log of a store holds that `verify` calls intact: of each key the record with the highest sequence number, of
 * several with one number the first, unless it has expired. Keys and values as `writtenIn` has them.
 */
export function contentsOf(files: Files): Map<string, string> {
  const manifest = files.get("MANIFEST")!;
  const view = viewOf(manifest);
  const newest = new Map<string, Newest>();
  const now = Math.max(Date.now(), Number(view.getBigUint64(MANIFEST_FIELDS.clockFloor![0], true)));
  let cleared = 0;
  for (let i = 0; i < view.getUint32(80, true); i++) {
    const at = listedAt(i);
    const bytes = files.get(`${String(view.getUint32(at, true)).padStart(8, "0")}.seg`)!;
    const sealed = view.getUint32(at + 8, true);
    const isOpen = sealed === 0 && view.getUint32(40, true) !== 1;
    for (const record of countedIn(bytes, sealed || view.getUint32(60, true), isOpen)) {
      const { kind, sequence, keyStart, valueStart } = record;
      if (kind === 3) cleared = Math.max(cleared, sequence);
      if (kind > 2) continue;
      const key = hex(bytes.subarray(keyStart, valueStart));
      if ((newest.get(key)?.sequence ?? 0) >= sequence) continue;
      const expiresAt = expiryOf(bytes, record);
      const isAlive = kind === 1 && (expiresAt === 0 || expiresAt > now);
      newest.set(key, { sequence, value: isAlive ? valueText(bytes, record) : undefined });
    }
  }
  const contents = new Map<string, string>();
  for (const [key, { sequence, value }] of newest) {
    if (value !== undefined && sequence >= cleared) contents.set(key, value);
  }
  return contents;
}

/** Whether the fields of a header make sense. */
function isRecord({ kind, flags, sequence, keyStart, valueStart, end }: LaidRecord): boolean {
  const isMark = kind !== 4 || (keyStart === valueStart && end - valueStart === 8);
  return isMark && kind <= 4 && flags < 32 && sequence > 0 && sequence <= Number.MAX_SAFE_INTEGER;
}

/** The records up to the recorded end; of a log that was not closed also the whole ones and batches behind it. */
function countedIn(bytes: Uint8Array, recordedEnd: number, isOpen: boolean): LaidRecord[] {
  const counted: LaidRecord[] = [];
  let batch: LaidRecord[] = [];
  for (const record of recordsOf(bytes)) {
    if (record.offset < recordedEnd) counted.push(record);
    else if (!isOpen || !isRecord(record) || !isIntact(bytes, record)) break;
    else {
      batch.push(record);
      if ((record.flags & 8) !== 0) continue;
      counted.push(...batch);
      batch = [];
    }
  }
  return counted;
}
