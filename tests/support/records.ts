/**
 * Segments made by hand, for tests of what reads them.
 *
 * @module
 */
import {
  FLAG_EXPIRES,
  FLAG_STRING_KEY,
  KIND,
  type Kind,
  placeSeed,
  recordBuffer,
  stampRecord,
  writeHeader,
  writeMark,
} from "../../src/engine/record.ts";
import { encodeSegmentHeader, Segment, segmentName } from "../../src/engine/segment.ts";
import { MemoryPlatform } from "./memory_platform.ts";

/** A record to be made. */
export interface RecordPlan {
  kind: Kind;
  key?: string;
  value?: string | Uint8Array;
  sequence: number;
  flags?: number;
  /** Of a mark: what it says, of its own segment unless told otherwise. */
  mark?: { segment?: number; offset: number };
}

/** Text as UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A set of a string key. */
export function put(sequence: number, key: string, value: string | Uint8Array = "", flags = 0): RecordPlan {
  return { kind: KIND.set, key, value, sequence, flags: flags | FLAG_STRING_KEY };
}

/** A delete. */
export function tombstone(sequence: number, key: string, flags = 0): RecordPlan {
  return { kind: KIND.delete, key, sequence, flags };
}

/** A durable mark. */
export function mark(sequence: number, offset: number, segment?: number): RecordPlan {
  return { kind: KIND.mark, sequence, mark: { offset, ...(segment === undefined ? {} : { segment }) } };
}

/** The bytes of a record for its place. */
export function recordBytes(plan: RecordPlan, place: { salt: number; offset: number; segment?: number }): Uint8Array {
  const key = utf8(plan.key ?? "");
  const value = typeof plan.value === "string" ? utf8(plan.value) : plan.value ?? new Uint8Array(0);
  const flags = plan.flags ?? 0;
  const keyStart = 24 + ((flags & FLAG_EXPIRES) === 0 ? 0 : 8);
  const buffer = recordBuffer(plan.mark === undefined ? keyStart + key.length + value.length : 32);
  if (plan.mark === undefined) {
    buffer.bytes.set(key, keyStart);
    buffer.bytes.set(value, keyStart + key.length);
    writeHeader(buffer.view, 0, { kind: plan.kind, flags, keyLength: key.length, valueLength: value.length });
  } else writeMark(buffer.view, 0, { segment: place.segment ?? 0, ...plan.mark });
  stampRecord(buffer, 0, { sequence: plan.sequence, seed: placeSeed(place.salt, place.offset) });
  return buffer.bytes;
}

/** A segment in a file, with where its records start and, last, where they end. */
export interface MadeSegment {
  segment: Segment;
  platform: MemoryPlatform;
  path: string;
  bytes: Uint8Array;
  offsets: number[];
}

/** Makes a sealed segment of records. */
export function makeSegment(
  plans: RecordPlan[],
  options: { number?: number; salt?: number; platform?: MemoryPlatform; directory?: string; storeId?: Uint8Array } = {},
): MadeSegment {
  const { number = 1, salt = 0x1234_5678, platform = new MemoryPlatform(), directory = "/s" } = options;
  const header = { number, salt, storeId: options.storeId ?? new Uint8Array(16), inputs: [] };
  const parts = [encodeSegmentHeader(header)];
  const offsets = [parts[0]!.length];
  for (const plan of plans) {
    const offset = offsets.at(-1)!;
    parts.push(new Uint8Array(recordBytes(plan, { salt, offset, segment: number })));
    offsets.push(offset + parts.at(-1)!.length);
  }
  const bytes = new Uint8Array(offsets.at(-1)!);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  const path = `${directory}/${segmentName(number)}`;
  platform.writeFile(path, bytes);
  const segment = new Segment(header, platform.open(path, "write"), { endBytes: bytes.length, sealed: true });
  for (const { sequence } of plans) segment.cover(sequence);
  return { segment, platform, path, bytes, offsets };
}
