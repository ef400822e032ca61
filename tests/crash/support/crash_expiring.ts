/**
 * A store with records that carry an expiry, which no call writes yet: whatever copies records has to keep the field.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { RecordCursor } from "../../../src/engine/cursor.ts";
import { writeManifest } from "../../../src/engine/manifest_file.ts";
import { readManifest } from "../../../src/store/directory.ts";
import { newManifest } from "../../../src/store/directory.ts";
import {
  FLAG_EXPIRES,
  FLAG_STRING_KEY,
  flagsOf,
  KIND,
  placeSeed,
  recordBuffer,
  stampRecord,
  VALUE_TYPE,
  writeHeader,
} from "../../../src/engine/record.ts";
import { encodeSegmentHeader, readSegmentHeader, segmentName } from "../../../src/engine/segment.ts";
import type { MemoryPlatform } from "../../support/memory_platform.ts";
import { utf8 } from "../../support/records.ts";

/** In the year 2100, each a bit later: the expiries of the records by their values, which nothing else has. */
export const EXPIRIES: ReadonlyMap<string, bigint> = new Map(
  Array.from({ length: 6 }, (_, i) => [`expires ${i} ${".".repeat(60 * i)}`, 4_102_444_800_000n + BigInt(i)]),
);

/** The keys of those records and their values. */
export const EXPIRING: [key: string, value: string][] = [...EXPIRIES.keys()].map((value, i) => [`e${i}`, value]);

const RECORD_START = 24;
const EXPIRY_BYTES = 8;

function recordOf(
  [key, value]: [string, string],
  place: { sequence: number; salt: number; offset: number },
): Uint8Array {
  const [keyBytes, valueBytes] = [utf8(key), utf8(value)];
  const keyStart = RECORD_START + EXPIRY_BYTES;
  const buffer = recordBuffer(keyStart + keyBytes.length + valueBytes.length);
  buffer.bytes.set(keyBytes, keyStart);
  buffer.bytes.set(valueBytes, keyStart + keyBytes.length);
  buffer.view.setBigUint64(RECORD_START, EXPIRIES.get(value)!, true);
  writeHeader(buffer.view, 0, {
    kind: KIND.set,
    flags: flagsOf(true, VALUE_TYPE.utf8) | FLAG_EXPIRES | FLAG_STRING_KEY,
    keyLength: keyBytes.length,
    valueLength: valueBytes.length,
  });
  stampRecord(buffer, 0, { sequence: place.sequence, seed: placeSeed(place.salt, place.offset) });
  return buffer.bytes;
}

/**
 * Makes a store of two segments, all of whose records expire. It was not closed: the second segment is still being
 * written, and its records lie past the durable mark.
 */
export function makeExpiring(platform: MemoryPlatform, directory: string): void {
  const manifest = { ...newManifest(), clean: false, nextSegment: 10, nextSequence: 1 };
  const halves = [EXPIRING.slice(0, 3), EXPIRING.slice(3)];
  for (const [i, records] of halves.entries()) {
    const salt = 1000 + i;
    const parts = [encodeSegmentHeader({ number: i + 1, storeId: manifest.storeId, salt, inputs: [] })];
    const start = parts[0]!.length;
    let offset = start;
    const first = manifest.nextSequence;
    for (const record of records) {
      parts.push(new Uint8Array(recordOf(record, { sequence: manifest.nextSequence++, salt, offset })));
      offset += parts.at(-1)!.length;
    }
    platform.writeFile(`${directory}/${segmentName(i + 1)}`, new Uint8Array(parts.flatMap((part) => [...part])));
    const isLast = i === halves.length - 1;
    if (isLast) manifest.mark = { segment: i + 1, offset: start };
    manifest.segments.push({
      number: i + 1,
      salt,
      sealedBytes: isLast ? 0 : offset,
      lowestSequence: isLast ? Infinity : first,
      highestSequence: isLast ? 0 : manifest.nextSequence - 1,
      currentAsOf: 0,
    });
  }
  // What is lost of the numbers with the process is as if they had been given out.
  writeManifest({ platform, directory, lock: undefined }, manifest);
}

/** Fails unless every key that has one of the values that expire still has the field in its record, unchanged. */
export function assertExpiries(platform: MemoryPlatform, directory: string, message: string): void {
  const manifest = readManifest(platform, directory);
  const newest = new Map<string, { sequence: number; value: string; expiry: bigint | undefined }>();
  for (const { number, sealedBytes } of manifest?.segments ?? []) {
    const name = segmentName(number);
    const handle = platform.open(`${directory}/${name}`, "read");
    const { salt, inputs } = readSegmentHeader(handle, name);
    const start = encodeSegmentHeader({ number, salt, inputs, storeId: manifest!.storeId }).length;
    const cursor = new RecordCursor({ handle, name, salt }, start, sealedBytes || handle.size());
    while (cursor.next()) {
      if (cursor.kind === KIND.mark || !cursor.checkValue()) continue;
      const key = new TextDecoder().decode(cursor.key);
      if (cursor.sequence < (newest.get(key)?.sequence ?? 0)) continue;
      const hasExpiry = (cursor.flags & FLAG_EXPIRES) !== 0;
      const expiry = hasExpiry ? cursor.view.getBigUint64(cursor.at + RECORD_START, true) : undefined;
      newest.set(key, { sequence: cursor.sequence, value: new TextDecoder().decode(cursor.value), expiry });
    }
    handle.close();
  }
  for (const [key, { value, expiry }] of newest) {
    assertEquals(expiry, EXPIRIES.get(value), `${message}: expiry of ${key}`);
  }
}
