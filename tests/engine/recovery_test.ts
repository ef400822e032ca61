import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../src/errors.ts";
import { FLAG_MORE } from "../../src/engine/record.ts";
import { findTail, highestMark } from "../../src/engine/recovery.ts";
import { type MadeSegment, makeSegment, mark, put, type RecordPlan } from "../support/records.ts";

const START = 44;

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
  const tail = findTail(made.segment, START);
  const { length } = made.bytes;
  assertEquals(tail, {
    endBytes: length,
    markBytes: made.offsets[2]!,
    fileBytes: length,
    records: 3,
    discardedRecords: 0,
    highestSequence: 5,
  });
  assertEquals(findTail(makeSegment([]).segment, START).records, 0);
});

Deno.test("recovery: at every length of the file past the mark it takes whole records, before it is damage", () => {
  const made = marked();
  const [, , third, markStart, fourth, end] = made.offsets as [number, number, number, number, number, number];
  for (let length = START; length <= end; length++) {
    cut(made, length);
    // The mark that counts is the one in the file: as long as it is whole.
    const isMarked = length >= fourth;
    const tail = findTail(made.segment, START);
    const expected = [...made.offsets].reverse().find((offset) => offset <= length);
    assertEquals([tail.endBytes, tail.markBytes], [expected, isMarked ? third : START], `length ${length}`);
    assertEquals(tail.reason === undefined, expected === length);
    const known = () => findTail(made.segment, markStart);
    if (length >= markStart) assertEquals(known().endBytes, expected);
    else assertEquals(assertThrows(known, KvStoreError).code, "CORRUPT", `length ${length}, known ${markStart}`);
  }
});

Deno.test("recovery: a bad byte past the mark ends the log, valid records behind it notwithstanding", () => {
  const made = damage(marked(), marked().offsets[2]!);
  const tail = findTail(made.segment, START);
  assertEquals([tail.endBytes, tail.records], [made.offsets[2], 0]);
  // Behind the hole is one record besides the mark.
  assertEquals(tail.discardedRecords, 1);
  assert(tail.reason !== undefined);
  const value = damage(marked(), marked().offsets[3]! - 1);
  const other = findTail(value.segment, START);
  assertEquals([other.endBytes, other.discardedRecords], [made.offsets[2], 1]);
});

Deno.test("recovery: a bad byte before a mark is damage, also if the mark lies behind the bad byte", () => {
  const { offsets } = marked();
  for (let offset = START; offset < offsets[1]! - 1; offset++) {
    const error = assertThrows(() => findTail(damage(marked(), offset).segment, START), KvStoreError);
    assertEquals([error.code, error.offset], ["CORRUPT", START], `byte ${offset}`);
  }
  // A damaged value before the mark is met when it is read.
  assertEquals(findTail(damage(marked(), offsets[1]! - 1).segment, START).records, 3);
});

Deno.test("recovery: only marks on this segment count, and none that is damaged", () => {
  const plans = [put(1, "a", "v"), mark(2, 10_000, 77), put(3, "b", "v")];
  const made = makeSegment(plans);
  assertEquals(highestMark(made.segment, START, made.bytes.length), START);
  const own = marked();
  assertEquals(highestMark(own.segment, START, own.bytes.length), own.offsets[2]);
  damage(own, own.offsets[4]! - 1);
  assertEquals(highestMark(own.segment, START, own.bytes.length), START);
  // A mark never lowers what the manifest knows.
  assertEquals(highestMark(marked().segment, own.offsets[3]!, own.bytes.length), own.offsets[3]);
});

Deno.test("recovery: a mark beyond the end of the file, or within a record, is damage", () => {
  for (const offset of [1_000_000, START + 1]) {
    const made = marked(() => offset);
    assertEquals(assertThrows(() => findTail(made.segment, START), KvStoreError).code, "CORRUPT", `mark at ${offset}`);
  }
});

Deno.test("recovery: a batch without its end is not taken, nor is anything of it", () => {
  const batch = [put(2, "a", "v", FLAG_MORE), put(3, "b", "v", FLAG_MORE), put(4, "c", "v")];
  const whole = makeSegment([put(1, "before"), ...batch]);
  for (let length = whole.offsets[1]! + 1; length < whole.bytes.length; length++) {
    cut(whole, length);
    const tail = findTail(whole.segment, START);
    assertEquals([tail.endBytes, tail.records], [whole.offsets[1], 1], `length ${length}`);
    assertEquals(tail.discardedRecords, whole.offsets.filter((offset) => offset <= length).length - 2);
  }
  cut(whole, whole.bytes.length);
  assertEquals(findTail(whole.segment, START).records, 4);
  const damaged = damage(makeSegment([put(1, "before"), ...batch]), whole.offsets[4]! - 1);
  assertEquals(findTail(damaged.segment, START).endBytes, whole.offsets[1]);
});

Deno.test("recovery: sequence numbers of records that are not taken still count as used", () => {
  const made = makeSegment([put(1, "a", "v"), put(9, "b", "v", FLAG_MORE)]);
  assertEquals(findTail(made.segment, START).highestSequence, 9);
});
