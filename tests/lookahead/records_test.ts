import { assert, assertEquals } from "@std/assert";
import { Index } from "../../src/engine/index.ts";
import { formOf } from "../../src/engine/partition.ts";
import { KIND, readHeader, RecordHeader } from "../../src/engine/record.ts";
import { Tail } from "../../src/engine/tail.ts";
import { Lookahead } from "../../src/lookahead/records.ts";
import { Random } from "../support/random.ts";
import { utf8 } from "../support/records.ts";

function keyOf(text: string) {
  const bytes = utf8(text);
  return { bytes, start: 0, length: bytes.length };
}

/** Calls `reach` for each record in a tail, as a batch does. Returns how many records each call touched. */
function reachAll(lookahead: Lookahead, index: Index, tail: Tail): number[] {
  const header = new RecordHeader();
  const counts: number[] = [];
  for (let at = 0; at < tail.stagedEnd; at += header.length) {
    readHeader(tail.view, at, Infinity, header);
    counts.push(lookahead.reach(index, tail, { at, length: header.length, end: tail.stagedEnd }));
  }
  return counts;
}

/** An index that is too large for the processor's cache, as far as looking ahead is concerned. */
function largeIndex(): Index {
  const index = new Index(7);
  for (let i = 0; i < 25_000; i++) index.put(keyOf(`key ${i}`), 1, 44 + 30 * i, formOf(30, false));
  return index;
}

function tailOf(count: number): Tail {
  const tail = new Tail();
  for (let i = 0; i < count; i++) tail.stage(KIND.set, 0, keyOf(`key ${i}`), "value", i % 3 === 0 ? 5 : 0);
  return tail;
}

Deno.test("looking ahead in records: touches each record once, 32 at a time, and a record that is alone not at all", () => {
  const index = largeIndex();
  const lookahead = new Lookahead();
  const rest = (count: number) => new Array(count).fill(0);
  assertEquals(reachAll(lookahead, index, tailOf(1)), [0]);
  assertEquals(reachAll(lookahead, index, tailOf(2)), [2, 0]);
  assertEquals(reachAll(lookahead, index, tailOf(33)), [32, ...rest(31), 0]);
  assertEquals(reachAll(lookahead, index, tailOf(70)), [32, ...rest(31), 32, ...rest(31), 6, ...rest(5)]);
  assertEquals(reachAll(lookahead, new Index(), tailOf(2)), [0, 0]);
});

Deno.test("looking ahead in records: reads what the index has of the keys, and changes nothing", () => {
  const index = largeIndex();
  const before = index.heldBytes;
  const lookahead = new Lookahead();
  reachAll(lookahead, index, tailOf(3));
  assert(lookahead.sum > 0);
  assertEquals([index.size, index.heldBytes], [25_000, before]);
});

Deno.test("looking ahead in records: whatever follows a record, nothing is read beyond the end", () => {
  const random = new Random(11);
  const index = largeIndex();
  for (let round = 0; round < 2000; round++) {
    const bytes = random.bytes(60 + random.below(400));
    const buffer = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
    new Lookahead().reach(index, buffer, { at: 0, length: 30, end: bytes.length });
  }
  assertEquals(index.size, 25_000);
});
