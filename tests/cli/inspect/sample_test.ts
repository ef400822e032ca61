import { assert, assertEquals } from "@std/assert";
import { Sample } from "../../../src/cli/inspect/sample.ts";
import { Random } from "../../support/random.ts";

function offer(sample: Sample, key: string | Uint8Array, sequence: number): void {
  const bytes = typeof key === "string" ? new TextEncoder().encode(key) : key;
  sample.offer(bytes, typeof key === "string", () => ({
    segment: 1,
    offset: sequence,
    length: 1,
    sequence,
    kind: 1,
    flags: 0,
    keyBytes: bytes.length,
    valueBytes: 0,
    isDamaged: false,
  }));
}

Deno.test("inspect sample: as long as all fit, all are in it", () => {
  const sample = new Sample(1000);
  for (let i = 0; i < 1000; i++) offer(sample, `key ${i % 3}`, i);
  assertEquals([sample.isPartial, sample.size, sample.keys.size], [false, 1000, 3]);
});

Deno.test("inspect sample: a key is in it with all its versions, or not at all, and the limit holds at any time", () => {
  for (const seed of [1, 2, 3]) {
    const random = new Random(seed);
    const sample = new Sample(500);
    const versions = new Map<string, number>();
    for (let i = 1; i <= 20_000; i++) {
      const key = `key ${random.below(4000)}`;
      versions.set(key, (versions.get(key) ?? 0) + 1);
      offer(sample, key, i);
      assert(sample.size <= 500);
    }
    assert(sample.isPartial && sample.size > 200, `${sample.size} records are few`);
    for (const { head, records, omitted } of sample.keys.values()) {
      assertEquals(records.length + omitted, versions.get(new TextDecoder().decode(head)));
      assertEquals(omitted, 0);
    }
  }
});

Deno.test("inspect sample: of a key with very many versions the newest stay, and other keys beside it", () => {
  const sample = new Sample(1000);
  for (let i = 1; i <= 50_000; i++) offer(sample, i % 10 === 0 ? `cold ${i}` : "hot", i);
  const hot = sample.keys.values().find(({ head }) => new TextDecoder().decode(head) === "hot")!;
  if (hot !== undefined) {
    assertEquals(hot.records.length + hot.omitted, 45_000);
    assert(hot.records.some(({ sequence }) => sequence === 49_999));
  }
  assert(sample.keys.size > 100 && sample.size <= 1000);
});

Deno.test("inspect sample: long keys that begin alike are told apart, and only their beginnings are kept", () => {
  const sample = new Sample(1000);
  const long = (end: number) => new Uint8Array(60_000).fill(97).with(59_999, end);
  for (let i = 0; i < 10; i++) offer(sample, long(i), i);
  assertEquals(sample.keys.size, 10);
  for (const { head, bytes } of sample.keys.values()) assertEquals([head.length <= 200, bytes], [true, 60_000]);
});

Deno.test("inspect sample: of a limit of none, or of one, nothing and hardly anything is left", () => {
  for (const limit of [0, 1]) {
    const sample = new Sample(limit);
    for (let i = 0; i < 20_000; i++) offer(sample, `key ${i}`, i);
    assert(sample.size <= limit && sample.isPartial);
  }
});
