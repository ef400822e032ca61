import { liveBytesOf } from "../support/live_bytes.ts";
import { assert, assertEquals } from "@std/assert";
import { Relocations } from "../../src/relocation.ts";
import { hashKey } from "../../src/hash.ts";
import { Index, PARTITIONS } from "../../src/engine/index.ts";
import { formOf } from "../../src/engine/partition.ts";
import { Random } from "../support/random.ts";
import { utf8 } from "../support/records.ts";

function keyOf(text: string) {
  const bytes = utf8(text);
  return { bytes, start: 0, length: bytes.length };
}

function find(
  index: Index,
  text: string,
): [segment: number, offset: number, length: number, isString: boolean] | undefined {
  const { bytes, start, length } = keyOf(text);
  return index.find(bytes, start, length) ? [index.segment, index.offset, index.length, index.isString] : undefined;
}

Deno.test("index: a key has the place it was given last, and what it had before is told", () => {
  const index = new Index();
  index.put(keyOf("a"), 1, 44, formOf(30, true));
  assertEquals(index.segment, 0);
  assertEquals(find(index, "a"), [1, 44, 30, true]);
  index.put(keyOf("a"), 4_294_967_295, 4_294_967_294, formOf(2 ** 31 - 1, false));
  assertEquals([index.segment, index.offset, index.length, index.isString], [1, 44, 30, true]);
  assertEquals(find(index, "a"), [4_294_967_295, 4_294_967_294, 2 ** 31 - 1, false]);
  assertEquals([index.size, find(index, "b")], [1, undefined]);
});

Deno.test("index: removing counts once, tells the place, and the key can come back", () => {
  const index = new Index();
  assertEquals([index.remove(keyOf("a")), index.size], [false, 0]);
  index.put(keyOf("a"), 1, 44, formOf(30, false));
  assertEquals([index.remove(keyOf("a")), index.segment, index.offset, index.length], [true, 1, 44, 30]);
  assertEquals([index.remove(keyOf("a")), index.size, find(index, "a")], [false, 0, undefined]);
  index.put(keyOf("a"), 2, 50, formOf(31, true));
  assertEquals([index.segment, index.size, find(index, "a")], [0, 1, [2, 50, 31, true]]);
  // Putting "no place" is how a rollback takes a key out again.
  index.put(keyOf("a"), 0, 0, 0);
  assertEquals([index.size, find(index, "a")], [0, undefined]);
});

Deno.test("index: a key without a place is known, and visited with the others", () => {
  const index = new Index();
  const knows = (text: string) => index.knows(utf8(text), 0, utf8(text).length);
  index.put(keyOf("a"), 1, 44, formOf(30, true));
  index.put(keyOf("b"), 0, 0, 0);
  assertEquals([knows("a"), index.segment, knows("b"), index.segment, knows("c"), index.segment], [
    true,
    1,
    true,
    0,
    false,
    0,
  ]);
  assertEquals([find(index, "b"), index.size], [undefined, 1]);
  const visited: Record<string, number> = {};
  index.each(({ bytes, start, length }) => {
    visited[new TextDecoder().decode(bytes.subarray(start, start + length))] = index.segment;
  });
  assertEquals(visited, { a: 1, b: 0 });
});

Deno.test("index: does what a Map does", () => {
  const random = new Random(5);
  const index = new Index();
  const model = new Map<string, number>();
  for (let i = 1; i < 20_000; i++) {
    const key = `key ${random.below(3000)}`;
    if (random.chance(0.4)) assertEquals(index.remove(keyOf(key)), model.delete(key));
    else {
      index.put(keyOf(key), 1, i, formOf(25, true));
      model.set(key, i);
    }
    if (i % 2000 > 0) continue;
    assertEquals(index.size, model.size);
    for (let j = 0; j < 3000; j++) assertEquals(find(index, `key ${j}`)?.[1], model.get(`key ${j}`));
  }
  assertEquals(liveBytesOf(index), new Map([[1, 25 * model.size]]));
});

Deno.test("index: live bytes are counted by segment", () => {
  const index = new Index();
  index.put(keyOf("a"), 1, 44, formOf(30, true));
  index.put(keyOf("b"), 1, 80, formOf(5, false));
  index.put(keyOf("c"), 9, 80, formOf(2 ** 31 - 1, true));
  index.put(keyOf("d"), 9, 80, formOf(1, true));
  index.remove(keyOf("d"));
  assertEquals(liveBytesOf(index), new Map([[1, 35], [9, 2 ** 31 - 1]]));
});

Deno.test("index: while somebody holds it, entries of deleted keys stay", () => {
  const entries = (holds: number) => {
    const index = new Index();
    index.holds = holds;
    for (let i = 0; i < 20_000; i++) {
      index.put(keyOf(`k${i}`), 1, 1, 1);
      index.remove(keyOf(`k${i}`));
    }
    return Array.from({ length: PARTITIONS }, (_, i) => index.partition(i).count).reduce((sum, count) => sum + count);
  };
  assertEquals(entries(1), 20_000);
  assert(entries(0) < 10_000);
});

Deno.test("index: only entries that are still where they were copied from are moved", () => {
  const index = new Index();
  index.put(keyOf("moved"), 1, 90, formOf(30, true));
  index.put(keyOf("first"), 1, 44, formOf(10, false));
  index.put(keyOf("written since"), 1, 120, formOf(30, true));
  index.put(keyOf("not copied"), 1, 150, formOf(30, true));
  index.put(keyOf("deleted since"), 1, 200, formOf(30, true));
  index.put(keyOf("elsewhere"), 5, 90, formOf(30, true));
  const moves = new Relocations([{ number: 1, endBytes: 300 }]);
  const relocation = moves.of(1)!;
  for (let i = 0; i < PARTITIONS; i++) index.noteLive(i, moves);
  assertEquals([44, 90, 120, 150, 200].map((offset) => relocation.has(offset)), new Array(5).fill(true));
  assertEquals([20, 64, 180, 230, 299].map((offset) => relocation.has(offset)), new Array(5).fill(false));
  const targets = [[44, 44], [90, 70], [120, 100], [150, 0], [200, 130]] as const;
  for (const [from, to] of targets) relocation.move(from, to);
  assertEquals(moves.count, 5);
  index.put(keyOf("written since"), 6, 90, formOf(30, true));
  index.remove(keyOf("deleted since"));
  const target = { number: 7, liveBytes: 0 };
  for (let i = 0; i < PARTITIONS; i++) index.relocate(i, moves, target);
  assertEquals(target.liveBytes, 40);
  assertEquals(find(index, "moved"), [7, 70, 30, true]);
  assertEquals(find(index, "first"), [7, 44, 10, false]);
  assertEquals(find(index, "written since")?.slice(0, 2), [6, 90]);
  assertEquals(find(index, "elsewhere")?.slice(0, 2), [5, 90]);
  assertEquals(find(index, "not copied")?.slice(0, 2), [1, 150]);
  assertEquals(find(index, "deleted since"), undefined);
  const other = { number: 8, liveBytes: 0 };
  for (let i = 0; i < PARTITIONS; i++) index.relocate(i, moves, other);
  assertEquals(other.liveBytes, 0, "a second time moves nothing");
});

Deno.test("index: the same keys in another index lie elsewhere", () => {
  const seeds = new Set(Array.from({ length: 8 }, () => new Index().seed));
  assert(seeds.size > 1);
  const { bytes, length } = keyOf("key");
  assert(new Set([...seeds].map((seed) => hashKey(bytes, 0, length, seed))).size > 1);
});
