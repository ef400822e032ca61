import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../src/errors.ts";
import { FLAG_MORE } from "../../src/engine/record.ts";
import { writeManifest } from "../../src/engine/manifest_file.ts";
import { newManifest } from "../../src/store/directory.ts";
import { openWriter } from "../../src/engine/open.ts";
import { finishNow } from "../../src/platform/turn.ts";
import { findEnd, type RecoveredEnd, recoverEnd } from "../../src/engine/recovery.ts";
import type { Lock } from "../../src/platform/types.ts";
import { countDiscarded, OPENING } from "../../src/store/opening.ts";
import { type MadeSegment, makeSegment, mark, put, type RecordPlan } from "../support/records.ts";

const START = 44;

function recovered({ segment }: MadeSegment, markOffset: number = START): RecoveredEnd {
  return recoverEnd(segment, { markOffset });
}

/** The highest mark, damaged or not. */
function markOf({ segment }: MadeSegment, markOffset: number = START): number {
  return finishNow(findEnd(segment, { markOffset })).markOffset;
}

function damage(made: MadeSegment, offset: number): MadeSegment {
  const bytes = made.platform.readFile(made.path);
  bytes[offset]! ^= 0xff;
  made.platform.writeFile(made.path, bytes);
  return made;
}

function cut(made: MadeSegment, length: number): MadeSegment {
  made.platform.writeFile(made.path, made.bytes.slice(0, length));
  return made;
}

/** Three records of equal length, then a mark that says that the first two are durable, then one more record. */
function marked(offset: (offsets: number[]) => number = (offsets) => offsets[2]!): MadeSegment {
  const plans: RecordPlan[] = [put(1, "a", "v"), put(2, "b", "v"), put(3, "c", "v")];
  const { offsets } = makeSegment(plans);
  return makeSegment([...plans, mark(4, offset(offsets)), put(5, "d", "v")]);
}

Deno.test("recovery: without a bad byte everything is taken", () => {
  const made = marked();
  const end = recovered(made);
  const { length } = made.bytes;
  assertEquals(end, {
    segment: made.segment,
    endBytes: length,
    markOffset: made.offsets[2]!,
    fileBytes: length,
    records: 3,
    reason: undefined,
  });
  assertEquals(recovered(makeSegment([])).records, 0);
});

Deno.test("recovery: at every length of the file past the mark it takes whole records, before it is damage", () => {
  const made = marked();
  const [, , third, markStart, fourth, last] = made.offsets as [number, number, number, number, number, number];
  for (let length = START; length <= last; length++) {
    cut(made, length);
    // The mark that counts is the one in the file: as long as it is whole.
    const isMarked = length >= fourth;
    const end = recovered(made);
    const expected = [...made.offsets].reverse().find((offset) => offset <= length);
    assertEquals([end.endBytes, end.markOffset], [expected, isMarked ? third : START], `length ${length}`);
    assertEquals(end.reason === undefined, expected === length);
    const known = () => recovered(made, markStart);
    if (length >= markStart) assertEquals(known().endBytes, expected);
    else assertEquals(assertThrows(known, KvStoreError).code, "CORRUPT", `length ${length}, known ${markStart}`);
  }
});

Deno.test("recovery: a bad byte past the mark ends the log, valid records behind it notwithstanding", () => {
  const made = damage(marked(), marked().offsets[2]!);
  const end = recovered(made);
  assertEquals([end.endBytes, end.records], [made.offsets[2], 0]);
  // Behind the hole is one record besides the mark.
  assertEquals(countDiscarded(end), 1);
  assert(end.reason !== undefined);
  const value = damage(marked(), marked().offsets[3]! - 1);
  const other = recovered(value);
  assertEquals([other.endBytes, countDiscarded(other)], [made.offsets[2], 1]);
});

Deno.test("recovery: a bad byte before a mark is damage, also if the mark lies behind the bad byte", () => {
  const { offsets } = marked();
  for (let offset = START; offset < offsets[1]! - 1; offset++) {
    const error = assertThrows(() => recovered(damage(marked(), offset)), KvStoreError);
    assertEquals([error.code, error.offset], ["CORRUPT", START], `byte ${offset}`);
  }
  // A damaged value before the mark is met when it is read.
  assertEquals(recovered(damage(marked(), offsets[1]! - 1)).records, 3);
});

Deno.test("recovery: only marks on this segment count, and none that is damaged", () => {
  const plans = [put(1, "a", "v"), mark(2, 10_000, 77), put(3, "b", "v")];
  const made = makeSegment(plans);
  assertEquals(markOf(made), START);
  const own = marked();
  assertEquals(markOf(own), own.offsets[2]);
  damage(own, own.offsets[4]! - 1);
  assertEquals(markOf(own), START);
  // A mark never lowers what the manifest knows.
  assertEquals(markOf(marked(), own.offsets[3]!), own.offsets[3]);
});

Deno.test("recovery: a mark beyond the end of the file, or within a record, is damage", () => {
  for (const offset of [1_000_000, START + 1]) {
    const made = marked(() => offset);
    assertEquals(assertThrows(() => recovered(made), KvStoreError).code, "CORRUPT", `mark at ${offset}`);
  }
});

Deno.test("recovery: a batch without its end is not taken, nor is anything of it", () => {
  const batch = [put(2, "a", "v", FLAG_MORE), put(3, "b", "v", FLAG_MORE), put(4, "c", "v")];
  const whole = makeSegment([put(1, "before"), ...batch]);
  for (let length = whole.offsets[1]! + 1; length < whole.bytes.length; length++) {
    cut(whole, length);
    const end = recovered(whole);
    assertEquals([end.endBytes, end.records], [whole.offsets[1], 1], `length ${length}`);
    assertEquals(countDiscarded(end), whole.offsets.filter((offset) => offset <= length).length - 2);
  }
  cut(whole, whole.bytes.length);
  assertEquals(recovered(whole).records, 4);
  const damaged = damage(makeSegment([put(1, "before"), ...batch]), whole.offsets[4]! - 1);
  assertEquals(recovered(damaged).endBytes, whole.offsets[1]);
});

Deno.test("recovery: sequence numbers of records that are not taken still count as used", () => {
  const made = makeSegment([put(1, "a", "v"), put(9, "b", "v", FLAG_MORE)]);
  const { segment: { number, salt }, platform } = made;
  const listed = { number, salt, sealedBytes: 0, lowestSequence: Infinity, highestSequence: 0, currentAsOf: 0 };
  const mark = { segment: number, offset: START };
  const storeId = new Uint8Array(16);
  const manifest = { ...newManifest(), storeId, clean: false, nextSegment: 2, mark, segments: [listed] };
  writeManifest({ platform, directory: "/s", lock: undefined }, manifest);
  const lock = platform.lock("/s/LOCK", "") as Lock;
  const { log } = openWriter({ platform, directory: "/s", lock }, manifest, OPENING);
  assert(log.nextSequence > 9);
  log.closeFiles();
});

Deno.test("recovery: headers of long keys between marks are not all checked, so that a forged file costs little", () => {
  const count = 2500;
  const plans = Array.from({ length: count }, (_, i) => [put(i + 1, ""), mark(i + 1, START + i)]).flat();
  const made = makeSegment(plans);
  const view = new DataView(made.bytes.buffer);
  for (let i = 0; i < 2 * count; i += 2) view.setUint16(made.offsets[i]! + 10, 65_535, true);
  made.platform.writeFile(made.path, made.bytes);
  const found = markOf(made) - START;
  assert(found > 100 && found < 500, `${found} of ${count} marks`);
});
