import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../src/errors.ts";
import { RecordCursor } from "../../src/engine/cursor.ts";
import { KIND } from "../../src/engine/record.ts";
import { type MadeSegment, makeSegment, mark, put, recordBytes, tombstone } from "../support/records.ts";

function cursorOf(
  { segment }: MadeSegment,
  start: number = segment.headerBytes,
  end: number = segment.endBytes,
): RecordCursor {
  return new RecordCursor({ handle: segment.handle, name: segment.name, salt: segment.salt }, start, end);
}

/** The keys of the records up to the end or the first bad byte. */
function keysOf(cursor: RecordCursor): string[] {
  const keys: string[] = [];
  while (cursor.next()) keys.push(new TextDecoder().decode(cursor.key));
  return keys;
}

const PLANS = [put(1, "a", "one"), tombstone(2, "b"), put(3, "c", "x".repeat(300_000)), put(4, "d", "end")];

Deno.test("cursor: walks over records, also over one that is larger than its window", () => {
  const made = makeSegment(PLANS);
  const cursor = cursorOf(made);
  for (const [i, plan] of PLANS.entries()) {
    assert(cursor.next());
    assertEquals([cursor.offset, cursor.sequence, cursor.kind], [made.offsets[i], plan.sequence, plan.kind]);
    assert(cursor.checkValue());
    assertEquals(cursor.value.length, (plan.value ?? "").length);
  }
  assertEquals([cursor.next(), cursor.reason, cursor.offset], [false, undefined, made.segment.endBytes]);
  assertEquals(keysOf(cursorOf(made)), ["a", "b", "c", "d"]);
});

Deno.test("cursor: stops at the end it was given, and says why if that is within a record", () => {
  const made = makeSegment(PLANS.slice(0, 2));
  const [, second, end] = made.offsets as [number, number, number];
  assertEquals(keysOf(cursorOf(made, undefined, second)), ["a"]);
  for (let cut = second + 1; cut < end; cut++) {
    const cursor = cursorOf(made, undefined, cut);
    assertEquals(keysOf(cursor), ["a"]);
    assert(cursor.reason !== undefined, `cut at ${cut}`);
    assertEquals(cursor.offset, second);
  }
  // The file may also be shorter than the end says.
  made.platform.writeFile(made.path, made.bytes.slice(0, end - 1));
  const cursor = cursorOf(made);
  assertEquals(keysOf(cursor), ["a"]);
  assert(cursor.reason !== undefined);
});

Deno.test("cursor: a bad header ends the walk, a bad value does not", () => {
  const made = makeSegment(PLANS);
  const flip = (offset: number) => {
    const bytes = made.bytes.slice();
    bytes[offset]! ^= 1;
    made.platform.writeFile(made.path, bytes);
  };
  flip(made.offsets[1]! - 1);
  const cursor = cursorOf(made);
  assert(cursor.next());
  assertEquals(cursor.checkValue(), false);
  assertEquals(keysOf(cursor), ["b", "c", "d"]);
  flip(made.offsets[1]! + 24);
  const other = cursorOf(made);
  assertEquals([keysOf(other), other.offset], [["a"], made.offsets[1]]);
  assert(other.reason !== undefined);
  assertEquals(other.next(), false);
});

Deno.test("cursor: a file of zeros holds no records, and searching it ends", () => {
  const made = makeSegment([]);
  made.platform.writeFile(made.path, new Uint8Array(1 << 20));
  const cursor = cursorOf(made, 44, 1 << 20);
  assertEquals(keysOf(cursor), []);
  assert(cursor.reason !== undefined);
  assertEquals(cursor.search(45, { marksOnly: false }), false);
});

Deno.test("cursor: finds the next record behind bad bytes, and the next mark", () => {
  const made = makeSegment([...PLANS, mark(5, 44), put(6, "last", "")]);
  const bytes = made.bytes.slice();
  bytes.fill(0xa5, made.offsets[0]!, made.offsets[1]! + 3);
  made.platform.writeFile(made.path, bytes);
  const cursor = cursorOf(made);
  assertEquals(cursor.next(), false);
  assert(cursor.search(cursor.offset + 1, { marksOnly: false }));
  assertEquals([cursor.offset, cursor.sequence], [made.offsets[2], 3]);
  assertEquals(keysOf(cursor), ["d", "", "last"]);
  assert(cursor.search(45, { marksOnly: true }));
  assertEquals([cursor.kind, cursor.offset], [KIND.mark, made.offsets[4]]);
  assertEquals(cursor.search(cursor.offset + 1, { marksOnly: true }), false);
});

Deno.test("cursor: a search takes no record whose value is bad, nor a copy inside a value", () => {
  const plan = put(9, "inner", "looks real");
  // The value of the first record is a record of its own, right for another place in this segment.
  const copy = new Uint8Array(recordBytes(plan, { salt: 0x1234_5678, offset: 44 }));
  const made = makeSegment([put(1, "outer", copy), put(2, "bad", "value"), put(3, "good", "value")]);
  const bytes = made.bytes.slice();
  bytes[44]! ^= 1;
  bytes[made.offsets[2]! - 1]! ^= 1;
  made.platform.writeFile(made.path, bytes);
  const cursor = cursorOf(made);
  assertEquals(cursor.next(), false);
  assert(cursor.search(45, { marksOnly: false }));
  assertEquals(new TextDecoder().decode(cursor.key), "good");
});

Deno.test("cursor: a hostile file costs bounded time", () => {
  // Every 24 bytes the header of a record that fits into the file, with the longest key: 46 GB of checksums.
  const bytes = new Uint8Array(16 * 1024 * 1024);
  for (let at = 0; at + 24 <= bytes.length; at += 24) {
    const header = [1, 1, 1, 1, 0, 0, 0, 0, KIND.set, 0, 255, 255, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    bytes.set(header, at);
  }
  const made = makeSegment([]);
  made.platform.writeFile(made.path, bytes);
  const cursor = cursorOf(made, 48, bytes.length);
  const before = made.platform.operations.read;
  assertEquals(cursor.search(48, { marksOnly: false }), false);
  // After 64 bytes of checksums for each byte of the file the search is given up, near its beginning: to the end it
  // would take some ninety reads.
  const reads = made.platform.operations.read - before;
  assert(reads < 20, `${reads} reads`);
});

Deno.test("cursor: a failed read is an IO error, not damage", () => {
  const made = makeSegment(PLANS);
  made.platform.onOperation = ({ kind }) => {
    if (kind === "read") throw new Error("no read");
  };
  assertEquals(assertThrows(() => cursorOf(made).next(), KvStoreError).code, "IO");
});
