import { assert, assertEquals, assertThrows } from "@std/assert";
import { isDiskFull, KvStoreError } from "../../src/errors.ts";
import { decodeManifest, encodeManifest, type Manifest, MAX_SEGMENTS } from "../../src/engine/manifest.ts";
import { writeManifest } from "../../src/engine/manifest_file.ts";
import { newManifest, readManifest } from "../../src/store/directory.ts";
import { crc32 } from "../../src/platform/checksum.ts";
import { MemoryPlatform } from "../support/memory_platform.ts";

const SEALED = { number: 3, salt: 9, sealedBytes: 500, lowestSequence: 10, highestSequence: 2 ** 50, currentAsOf: 4 };
const OPEN = { number: 8, salt: 1, sealedBytes: 0, lowestSequence: Infinity, highestSequence: 0, currentAsOf: 0 };

function example(): Manifest {
  return {
    ...newManifest(),
    generation: 2 ** 33,
    clean: false,
    nextSegment: 9,
    nextSequence: 2 ** 53 - 1,
    mark: { segment: 8, offset: 4_294_967_295 },
    historyFloor: 2 ** 40,
    clockFloor: 1_700_000_000_000,
    segments: [SEALED, OPEN],
  };
}

function codeOf(bytes: Uint8Array): string {
  return assertThrows(() => decodeManifest(bytes), KvStoreError).code;
}

/** The example with other bytes, and a checksum that fits them. */
function hostile(change: (view: DataView) => void): Uint8Array {
  const bytes = encodeManifest(example());
  const view = new DataView(bytes.buffer);
  change(view);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true);
  return bytes;
}

Deno.test("manifest: all fields come back", () => {
  for (const manifest of [example(), newManifest(), { ...example(), clean: true, segments: [SEALED] }]) {
    assertEquals(decodeManifest(encodeManifest(manifest)), manifest);
  }
});

Deno.test("manifest: cut anywhere, with anything behind it, or with any bit flipped it is CORRUPT", () => {
  const good = encodeManifest(example());
  for (let length = 0; length < good.length; length++) assertEquals(codeOf(good.slice(0, length)), "CORRUPT");
  assertEquals(codeOf(new Uint8Array([...good, 0])), "CORRUPT");
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bytes = good.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(codeOf(bytes), "CORRUPT", `bit ${bit}`);
  }
});

Deno.test("manifest: an unknown version or feature is FORMAT", () => {
  assertEquals(codeOf(hostile((view) => view.setUint32(8, 2, true))), "FORMAT");
  for (let bit = 0; bit < 32; bit++) {
    assertEquals(codeOf(hostile((view) => view.setUint32(12, 1 << bit, true))), "FORMAT");
  }
});

Deno.test("manifest: numbers that contradict one another are CORRUPT, whatever the checksum says", () => {
  const cases: Record<string, (view: DataView) => void> = {
    "more segments than there are bytes": (view) => view.setUint32(80, 0xffff_ffff, true),
    "segments out of order": (view) => view.setUint32(84, 8, true),
    "segment 0": (view) => view.setUint32(84, 0, true),
    "a segment number that is still free": (view) => view.setUint32(44, 8, true),
    "two segments being written": (view) => view.setUint32(92, 0, true),
    "a mark in a sealed segment": (view) => view.setUint32(56, 3, true),
    "a sequence number beyond 2^53": (view) => view.setUint32(52, 2 ** 21, true),
    "a generation that could be used up": (view) => view.setUint32(36, 2 ** 20, true),
    "a generation beyond 2^53": (view) => view.setUint32(36, 2 ** 31, true),
  };
  for (const [name, change] of Object.entries(cases)) assertEquals(codeOf(hostile(change)), "CORRUPT", name);
});

Deno.test("manifest: replacing it leaves the old or the new one, whatever fails and whenever the power goes", () => {
  const old = newManifest();
  for (let stop = 1;; stop++) {
    const platform = new MemoryPlatform();
    platform.writeFile("/s/NOTE", new Uint8Array(1));
    writeManifest({ platform, directory: "/s", lock: undefined }, old);
    let count = 0;
    platform.onOperation = () => {
      if (++count === stop) throw new Error("no");
    };
    let isDone = true;
    try {
      writeManifest({ platform, directory: "/s", lock: undefined }, example());
    } catch (error) {
      assert(error instanceof KvStoreError);
      isDone = false;
    }
    platform.onOperation = undefined;
    for (const share of [0, 1]) {
      const image = platform.image({ write: ({ bytes }) => share === 1 ? bytes : undefined, entry: () => share === 1 });
      const { generation } = readManifest(image, "/s")!;
      assert(generation === example().generation || (!isDone && generation === old.generation), `operation ${stop}`);
    }
    if (isDone) break;
    assert(stop < 20);
  }
});

Deno.test("manifest: a missing one is undefined, one that cannot be read is an IO error", () => {
  const platform = new MemoryPlatform();
  platform.writeFile("/s/NOTE", new Uint8Array(1));
  assertEquals(readManifest(platform, "/s"), undefined);
  writeManifest({ platform, directory: "/s", lock: undefined }, example());
  platform.onOperation = ({ kind }) => {
    if (kind === "read") throw new Error("no read");
  };
  assertEquals(assertThrows(() => readManifest(platform, "/s"), KvStoreError).code, "IO");
});

Deno.test("manifest: as many segments are written as are read again; at the bound it is as on a full disk", () => {
  const platform = new MemoryPlatform();
  platform.writeFile("/s/NOTE", new Uint8Array(1));
  const { segments: [first], ...others } = example();
  const manifestOf = (count: number): Manifest => ({
    ...others,
    mark: { segment: 0, offset: 0 },
    nextSegment: count + 1,
    segments: Array.from({ length: count }, (_, i) => ({ ...first!, number: i + 1, sealedBytes: 1000 })),
  });
  writeManifest({ platform, directory: "/s", lock: undefined }, manifestOf(MAX_SEGMENTS));
  assertEquals(readManifest(platform, "/s")!.segments.length, MAX_SEGMENTS);
  const tooMany = manifestOf(MAX_SEGMENTS + 1);
  const error = assertThrows(
    () => writeManifest({ platform, directory: "/s", lock: undefined }, tooMany),
    KvStoreError,
    `at most ${MAX_SEGMENTS} segments`,
  );
  assertEquals([error.code, isDiskFull(error)], ["IO", true]);
  platform.writeFile("/s/MANIFEST", encodeManifest(tooMany));
  assertThrows(() => readManifest(platform, "/s"), KvStoreError, "larger than any manifest");
});
