import { assertEquals, assertThrows } from "@std/assert";
import { KvStoreError } from "../../src/errors.ts";
import { KIND } from "../../src/engine/record.ts";
import {
  encodeSegmentHeader,
  readSegmentHeader,
  Segment,
  SEGMENT_HEADER_BYTES,
  segmentName,
  segmentNumberOf,
} from "../../src/engine/segment.ts";
import { crc32 } from "../../src/platform/checksum.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";
import { makeSegment, put } from "../support/records.ts";

const HEADER = {
  number: 4_294_967_295,
  storeId: Uint8Array.from({ length: 16 }, (_, i) => i),
  salt: 0xffff_fffe,
  inputs: [1, 70_000],
};

function read(bytes: Uint8Array): ReturnType<typeof readSegmentHeader> {
  const platform = new MemoryPlatform();
  platform.writeFile("/f", bytes);
  return readSegmentHeader(platform.open("/f", "read"), "f");
}

function codeOf(bytes: Uint8Array): string {
  return assertThrows(() => read(bytes), KvStoreError).code;
}

/** A header with other numbers, and a checksum that fits them. */
function hostile(change: (view: DataView) => void): Uint8Array {
  const bytes = encodeSegmentHeader(HEADER);
  const view = new DataView(bytes.buffer);
  change(view);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true);
  return bytes;
}

Deno.test("segment: a header comes back, whatever follows it", () => {
  const bytes = encodeSegmentHeader(HEADER);
  assertEquals(bytes.length, SEGMENT_HEADER_BYTES + 8);
  assertEquals(read(bytes), HEADER);
  assertEquals(read(new Uint8Array([...bytes, 1, 2, 3])), HEADER);
  const without = { ...HEADER, inputs: [] };
  assertEquals(read(encodeSegmentHeader(without)), without);
});

Deno.test("segment: a header is CORRUPT if it is cut anywhere or any bit of it is flipped", () => {
  const good = encodeSegmentHeader(HEADER);
  for (let length = 0; length < good.length; length++) assertEquals(codeOf(good.slice(0, length)), "CORRUPT");
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bytes = good.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(codeOf(bytes), "CORRUPT", `bit ${bit}`);
  }
  assertEquals(codeOf(new Uint8Array(4096)), "CORRUPT");
});

Deno.test("segment: a newer version is FORMAT, and no count of inputs asks for memory", () => {
  assertEquals(codeOf(hostile((view) => view.setUint32(8, 2, true))), "FORMAT");
  for (const count of [1, 3, 1 << 20, (1 << 20) + 1, 0xffff_ffff]) {
    assertEquals(codeOf(hostile((view) => view.setUint32(36, count, true))), "CORRUPT", `${count} inputs`);
  }
});

Deno.test("segment: names and numbers belong together, and nothing else is a segment", () => {
  for (const number of [1, 99_999_999, 100_000_000, 4_294_967_295]) {
    assertEquals(segmentNumberOf(segmentName(number)), number);
  }
  const others = [
    "00000000.seg",
    "4294967296.seg",
    "0000000001.seg",
    "1.seg",
    "00000001.seg.tmp",
    "00000001.SEG",
    " 00000001.seg",
    "MANIFEST",
    "",
  ];
  for (const name of others) assertEquals(segmentNumberOf(name), undefined, name);
});

Deno.test("segment: the bytes of records are live, tombstones or stale, and nothing else", () => {
  const { segment } = makeSegment([put(5, "a", "1"), put(3, "b", "22")]);
  assertEquals([segment.lowestSequence, segment.highestSequence], [3, 5]);
  assertEquals(segment.staleBytes, segment.endBytes - SEGMENT_HEADER_BYTES);
  segment.add({ kind: KIND.set, sequence: 5, length: 26 });
  segment.add({ kind: KIND.delete, sequence: 9, length: 25 });
  segment.add({ kind: KIND.clear, sequence: 7, length: 1 });
  assertEquals([segment.liveBytes, segment.tombstoneBytes, segment.highestTombstone], [26, 26, 9]);
  assertEquals(segment.staleBytes, 27 - 26);
  segment.add({ kind: KIND.mark, sequence: 10, length: 1 });
  assertEquals([segment.markBytes, segment.staleBytes], [1, 1]);
  segment.drop({ kind: KIND.mark, length: 1 });
  segment.drop({ kind: KIND.clear, length: 1 });
  segment.drop({ kind: KIND.set, length: 26 });
  assertEquals([segment.liveBytes, segment.tombstoneBytes, segment.markBytes], [0, 25, 0]);
  segment.reset();
  assertEquals([segment.tombstoneBytes, segment.highestTombstone, segment.endBytes > 0], [0, 0, true]);
  const { handle } = segment;
  const empty = new Segment({ ...HEADER, inputs: [1] }, handle, { endBytes: 48, sealed: false });
  assertEquals([empty.headerBytes, empty.staleBytes, empty.lowestSequence, empty.highestSequence], [
    48,
    0,
    Infinity,
    0,
  ]);
});
