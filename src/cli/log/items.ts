/**
 * Reads a log as a sequence of items to show: segments, records and damage.
 *
 * @module
 */

import {
  FLAG_EXPIRES,
  FLAG_MORE,
  FLAG_STRING_KEY,
  type Found,
  type Key,
  openLog,
  type ReadIndex,
  readMark,
  scan,
  type Segment,
  valueTypeOf,
} from "../../../mod.ts";
import { InputError } from "../command_line/errors.ts";

/** The content of the manifest. */
export interface LogManifest {
  /** Id of the store, hexadecimal. */
  storeId: string;
  /** Version of the files' format. */
  formatVersion: number;
  /** Whether the store was closed cleanly. */
  clean: boolean;
  /** The number of times that the manifest has been replaced. */
  generation: number;
  /** The next free segment number. */
  nextSegment: number;
  /** The next free sequence number. */
  nextSequence: number;
  /** The durable mark. */
  mark: { segment: number; offset: number };
  /** The log has every version above this sequence number. */
  historyFloor: number;
  /** The clock never counts as earlier than this, in milliseconds since 1970. */
  clockFloor: number;
  /** Length of the file. */
  fileBytes: number;
}

/** A segment of the log. */
export interface LogSegment {
  /** The kind of item. */
  type: "segment";
  /** Segment number. */
  number: number;
  /** Name of its file. */
  file: string;
  /** Length of the file. */
  fileBytes: number;
  /** Where the records end. */
  endBytes: number;
  /** Whether it is sealed: nothing is appended to it any more. */
  sealed: boolean;
  /** Salt of the checksums. */
  salt: number;
  /** Segments that compaction rewrote into this one. */
  inputs: number[];
  /** Length of the header. */
  headerBytes: number;
  /** The header itself. */
  header: Uint8Array;
  /** Lowest sequence number; 0 without records. */
  lowestSequence: number;
  /** Highest sequence number; 0 without records. */
  highestSequence: number;
  /** Bytes of records that hold a present value. */
  liveBytes: number;
  /** Bytes of superseded records and marks, and the part of expired records that is not needed as a tombstone. */
  staleBytes: number;
  /** Bytes of tombstones, and the part of expired records that is needed as a tombstone. */
  tombstoneBytes: number;
}

/** A record of the log. */
export interface LogRecord {
  /** The kind of item. */
  type: "record";
  /** Segment number. */
  segment: number;
  /** Where it starts in the file. */
  offset: number;
  /** Its length in bytes. */
  length: number;
  /** Sequence number. */
  sequence: number;
  /** Its kind. */
  kind: "set" | "delete" | "clear" | "mark";
  /** Its key, if it has one. */
  key?: Key;
  /** The type of its value. */
  valueType?: "bytes" | "string" | "json";
  /** Length of the value in bytes. */
  valueBytes: number;
  /** When it expires, in milliseconds since 1970. */
  expiresAt?: number;
  /** Whether the next record belongs to the same batch. */
  more: boolean;
  /** Its state. */
  state: "live" | "expired" | "stale" | "tombstone" | "mark";
  /** Whether the value fits its checksum. */
  intact: boolean;
  /** The durable mark that it holds, if it is one. */
  mark?: { segment: number; offset: number };
  /** Header, expiry, key, and up to 64 bytes of the value. */
  head: Uint8Array;
}

/** Damaged bytes, or bytes after the end of the records. */
export interface LogDamage {
  /** The kind of item. */
  type: "damage" | "unused";
  /** Segment number. */
  segment: number;
  /** Where they start. */
  offset: number;
  /** Their number. */
  length: number;
  /** What is wrong, or why they are not used. */
  reason: string;
}

/** An item of a log. */
export type LogItem = LogSegment | LogRecord | LogDamage;

const KINDS = ["set", "set", "delete", "clear", "mark"] as const;
const VALUE_TYPES = ["bytes", "string", "json", "string"] as const;
const SHOWN_VALUE_BYTES = 64;
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads the log of a store, or one segment of it. Changes nothing, and works while a writer has the store open. */
export function readLog(
  directory: string,
  options: { segment?: number } = {},
): { manifest: LogManifest; items: IterableIterator<LogItem> } {
  const { manifest, manifestBytes, segments, index, close } = openLog(directory);
  const { storeId, segments: _, ...figures } = manifest;
  const chosen = segments.filter(({ number }) => options.segment === undefined || number === options.segment);
  if (options.segment !== undefined && chosen.length === 0) {
    close();
    const numbers = segments.map(({ number }) => number).join(", ");
    throw new InputError(`the store has no segment ${options.segment}; it has ${numbers || "none"}`);
  }
  const id = Array.from(storeId, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return {
    manifest: { ...figures, storeId: id, formatVersion: 1, fileBytes: manifestBytes },
    items: itemsOf(chosen, index, close),
  };
}

function* itemsOf(segments: Segment[], index: ReadIndex, close: () => void): Generator<LogItem, undefined> {
  try {
    for (const segment of segments) {
      yield segmentOf(segment);
      for (const found of scan(segment, segment.headerBytes, segment.endBytes)) yield itemOf(found, segment, index);
      const length = segment.handle.size() - segment.endBytes;
      if (length > 0) {
        const reason = segment.sealed ? "past the sealed end" : "past the last record that checks out";
        yield { type: "unused", segment: segment.number, offset: segment.endBytes, length, reason };
      }
    }
  } finally {
    close();
  }
}

function segmentOf(segment: Segment): LogSegment {
  const { number, name, handle, endBytes, sealed, salt, headerBytes } = segment;
  const header = new Uint8Array(headerBytes);
  handle.read(header, 0);
  const view = new DataView(header.buffer);
  return {
    type: "segment",
    number,
    file: name,
    fileBytes: handle.size(),
    endBytes,
    sealed,
    salt,
    inputs: Array.from({ length: view.getUint32(36, true) }, (_, i) => view.getUint32(40 + 4 * i, true)),
    headerBytes,
    header,
    lowestSequence: segment.lowestSequence === Infinity ? 0 : segment.lowestSequence,
    highestSequence: segment.highestSequence,
    liveBytes: segment.liveBytes - segment.expiredBytes,
    staleBytes: segment.staleBytes,
    tombstoneBytes: segment.tombstoneBytes + segment.graveBytes,
  };
}

function itemOf(found: Found, segment: Segment, index: ReadIndex): LogItem {
  const { cursor, offset, length, reason, isRecord } = found;
  if (!isRecord) return { type: "damage", segment: segment.number, offset, length, reason: reason! };
  const { bytes, view, at, flags, keyStart, keyLength, valueLength } = cursor;
  const kind = KINDS[cursor.kind]!;
  const headLength = keyStart + keyLength + Math.min(valueLength, SHOWN_VALUE_BYTES);
  const item: LogRecord = {
    type: "record",
    segment: segment.number,
    offset,
    length,
    sequence: cursor.sequence,
    kind,
    valueBytes: valueLength,
    more: (flags & FLAG_MORE) !== 0,
    state: kind === "mark" ? "mark" : kind === "set" ? "stale" : "tombstone",
    intact: reason === undefined,
    head: bytes.slice(at, at + headLength),
  };
  if (kind === "set" || kind === "delete") {
    item.key = (flags & FLAG_STRING_KEY) === 0 ? cursor.key.slice() : DECODER.decode(cursor.key);
  }
  if (kind === "set") {
    item.valueType = VALUE_TYPES[valueTypeOf(flags)]!;
    const isThere = index.find(bytes, at + keyStart, keyLength);
    const isCurrent = isThere && index.segment === segment.number && index.offset === offset;
    if (isCurrent) item.state = index.isExpired ? "expired" : "live";
  }
  if (kind === "mark" && reason === undefined) item.mark = readMark(view, at);
  if ((flags & FLAG_EXPIRES) !== 0) item.expiresAt = cursor.expiresAt;
  return item;
}
