/**
 * Files made to cost time or memory: lengths and counts beyond the file, sizes that a sparse file only claims, lists
 * that are long, JSON that is deep. What each may cost follows from its size.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { RecordCursor } from "../../src/engine/cursor.ts";
import { encodeManifest } from "../../src/engine/manifest.ts";
import { newManifest } from "../../src/store/directory.ts";
import { decodeValue } from "../../src/store/values.ts";
import { VALUE_TYPE } from "../../src/engine/record.ts";
import { encodeSegmentHeader, MAX_SEGMENT_BYTES } from "../../src/engine/segment.ts";
import { crc32 } from "../../src/platform/checksum.ts";
import type { FileHandle } from "../../src/platform/types.ts";
import { verifyOn } from "../../src/check/verify.ts";
import { codeOf } from "../crash/support/history.ts";
import { makeSegment, put } from "../support/records.ts";
import { type Files, viewOf } from "./support/layout.ts";
import { measured } from "./support/measure.ts";
import { check } from "./support/oracle.ts";
import { baseOf, DIRECTORY, machineOf } from "./support/stores.ts";

/** Checks files that owe nothing to an intact store, in a time that shows that nothing is done for all pairs. */
async function checkFiles(files: Files, limitMs: number): Promise<string> {
  const start = performance.now();
  const outcome = await check({ base: files, files, isForged: false });
  const elapsedMs = performance.now() - start;
  assert(elapsedMs < limitMs, `${Math.round(elapsedMs)} ms`);
  return outcome;
}

/** The MANIFEST of the small store with other fields, and a checksum that fits. */
function manifestWith(change: (view: DataView) => void): Uint8Array {
  const bytes = baseOf("small").get("MANIFEST")!;
  change(viewOf(bytes));
  viewOf(bytes).setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true);
  return bytes;
}

async function openCode(files: Files): Promise<string> {
  return await KvStore.openOn(machineOf(files), DIRECTORY, { readOnly: true }).then(() => "opened", codeOf);
}

Deno.test("hostile: a MANIFEST of a newer version, a damaged one and that of something else are told apart", async () => {
  const withManifest = (bytes: Uint8Array) => new Map(baseOf("small")).set("MANIFEST", bytes);
  // Every version has magic, version and a CRC-32 at the end: so a changed version byte is damage, and can be repaired.
  assertEquals(await openCode(withManifest(manifestWith((view) => view.setUint32(8, 2, true)))), "FORMAT");
  const damaged = baseOf("small").get("MANIFEST")!;
  damaged[8] = 2;
  assertEquals(await openCode(withManifest(damaged)), "CORRUPT");
  // Beside segments it must be ours that was damaged; alone it is not, and repair must not move the files of others.
  const foreign = new TextEncoder().encode("Manifest-Version: 1.0\n".repeat(9));
  assertEquals(await openCode(withManifest(foreign)), "CORRUPT");
  assertEquals(await checkFiles(new Map([["MANIFEST", foreign]]), 5000), "open FORMAT, verify FORMAT, repair FORMAT");
  assertEquals(await openCode(new Map([["MANIFEST", new Uint8Array(200)]])), "CORRUPT");
});

Deno.test("hostile: a MANIFEST that says that it lists 2^32 segments, or does list very many", async () => {
  const counted = new Map(baseOf("small")).set(
    "MANIFEST",
    manifestWith((view) => view.setUint32(80, 2 ** 32 - 1, true)),
  );
  assertEquals(await checkFiles(counted, 5000), "open CORRUPT, verify damage, repair plan");
  // The first is being written: then all others come before what may be in it.
  const segments = Array.from({ length: 130_000 }, (_, i) => {
    const sealedBytes = i === 0 ? 0 : 44;
    return { number: i + 1, salt: i, sealedBytes, lowestSequence: Infinity, highestSequence: 0, currentAsOf: 0 };
  });
  const mark = { segment: 1, offset: 44 };
  const many = encodeManifest({ ...newManifest(), nextSegment: segments.length + 1, mark, segments });
  const platform = machineOf(new Map([["MANIFEST", many]]));
  assertEquals(await KvStore.openOn(platform, DIRECTORY, { readOnly: true }).then(() => "opened", codeOf), "CORRUPT");
  const start = performance.now();
  // A thousand, and one that counts the others.
  assertEquals((await verifyOn(platform, DIRECTORY, {})).problems.length, 1001);
  assert(performance.now() - start < 30_000, "time that is more than the length of the list warrants");
});

Deno.test("hostile: a MANIFEST of a size that no store reaches is not read", async () => {
  const platform = machineOf(baseOf("small"));
  const open = platform.open.bind(platform);
  platform.open = (path, mode) => {
    const handle = open(path, mode);
    if (path.endsWith("MANIFEST")) handle.size = () => 2 ** 40;
    return handle;
  };
  const { largestBytes } = await measured(platform, async () => {
    const code = await KvStore.openOn(platform, DIRECTORY, { readOnly: true }).then(() => "opened", codeOf);
    assertEquals(code, "CORRUPT");
  });
  assert(largestBytes < 2 ** 20, `${largestBytes} bytes`);
});

Deno.test("hostile: a segment with a million inputs", async () => {
  const inputs = Array.from({ length: 2 ** 20 }, (_, i) => i + 1);
  const header = { number: 2 ** 21, salt: 1, storeId: new Uint8Array(16), inputs };
  const files: Files = new Map([["02097152.seg", encodeSegmentHeader(header)]]);
  assertEquals(await checkFiles(files, 10_000), "open CORRUPT, verify damage, repair plan");
});

Deno.test("hostile: segments that say that they stand for each other are both left where they are", async () => {
  const header = (number: number, input: number) =>
    encodeSegmentHeader({ number, salt: 1, storeId: new Uint8Array(16), inputs: [input] });
  const files: Files = new Map([["00000001.seg", header(1, 2)], ["00000002.seg", header(2, 1)]]);
  assertEquals(await checkFiles(files, 5000), "open CORRUPT, verify damage, repair plan");
  const self: Files = new Map([["00000001.seg", header(1, 1)]]);
  assertEquals(await checkFiles(self, 5000), "open CORRUPT, verify damage, repair CORRUPT");
});

/** A segment of small records of one key, every `period`th byte of which is changed from `start` on. */
function changedRecords(count: number, { start, period }: { start: number; period: number }): Files {
  const { bytes } = makeSegment(Array.from({ length: count }, (_, i) => put(2 * i + 1, "k", "v")));
  for (let at = start; at < bytes.length; at += period) bytes[at]! ^= 1;
  return new Map([["00000001.seg", bytes]]);
}

const RECORD_BYTES = 26;

Deno.test("hostile: many damaged values of one key cost no more than those of many", async () => {
  const files = changedRecords(50_000, { start: 44 + RECORD_BYTES - 1, period: RECORD_BYTES });
  assertEquals(await checkFiles(files, 30_000), "open CORRUPT, verify damage, repair plan");
});

Deno.test("hostile: many holes between records", async () => {
  const files = changedRecords(260_000, { start: 44, period: 2 * RECORD_BYTES });
  assertEquals(await checkFiles(files, 60_000), "open CORRUPT, verify damage, repair plan");
});

Deno.test("hostile: a terabyte that is not there is not searched", () => {
  let reads = 0;
  const sparse = {
    read: (target: Uint8Array) => {
      reads++;
      return target.length;
    },
    size: () => 2 ** 40,
  } as Partial<FileHandle> as FileHandle;
  const start = MAX_SEGMENT_BYTES - 2 ** 28;
  const cursor = new RecordCursor({ handle: sparse, name: "sparse", salt: 1 }, start, 2 ** 40);
  assertEquals(cursor.search(start, { marksOnly: false }), false);
  assert(cursor.offset <= MAX_SEGMENT_BYTES, `searched up to ${cursor.offset}`);
  assert(reads < 1100, `${reads} reads`);
});

Deno.test("hostile: a footer of an INDEX that is deep, long or longer than any", async () => {
  const base = baseOf("imaged");
  for (const [piece, times] of [["[", 5e6], ["[],", 3e6], ['{"a":', 2e6], ["[],", 2 ** 23]] as const) {
    const text = new TextEncoder().encode(piece.repeat(times));
    const bytes = new Uint8Array(text.length + 16);
    bytes.set(text);
    bytes.set(new TextEncoder().encode("KVINDEX1"), text.length + 8);
    viewOf(bytes).setUint32(text.length, text.length, true);
    viewOf(bytes).setUint32(text.length + 4, crc32(text), true);
    assertEquals(await openCode(new Map(base).set("INDEX", bytes)), "opened", piece);
  }
});

// A parser takes a third of a microsecond and up to a hundred bytes for a bracket, however deep it stands. So a bound on
// depth would save nothing that a flat list of as many brackets does not cost.
Deno.test("hostile: a value of deep or flat JSON that does not end costs what its length warrants", () => {
  for (const piece of ["[", "[],", '{"a":']) {
    const bytes = new TextEncoder().encode(`[${piece.repeat(8e6 / piece.length)}`);
    const start = performance.now();
    assertThrows(() => decodeValue(VALUE_TYPE.json, bytes), SyntaxError);
    assert(performance.now() - start < 30_000, `${piece}: ${Math.round(performance.now() - start)} ms`);
  }
});
