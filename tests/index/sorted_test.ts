import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { compareBytes } from "../../src/bytes.ts";
import { Index } from "../../src/index/index.ts";
import { type KeyList, SortedKeys } from "../../src/index/sorted.ts";
import { Random } from "../support/random.ts";

function keyOf(bytes: Uint8Array) {
  return { bytes, start: 0, length: bytes.length };
}

function put(index: Index, bytes: Uint8Array): void {
  index.put(keyOf(bytes), 1, 1, 1);
}

/** The keys of a list that have a place in the index, as text. */
function live(index: Index, list: KeyList): string[] {
  const keys = Array.from({ length: list.length }, (_, i) => list.key(i));
  for (let i = 1; i < keys.length; i++) assert(compareBytes(keys[i - 1]!, keys[i]!) < 0, `key ${i} is out of order`);
  return keys.filter((key) => index.find(key, 0, key.length)).map((key) => key.join());
}

function expected(keys: Iterable<Uint8Array>): string[] {
  return [...keys].sort(compareBytes).map((key) => key.join());
}

/** Keys that a careless comparison would mix up. */
const AWKWARD = [[], [0], [0, 0], [0, 0, 0], [0, 0, 0, 0], [1], [1, 0], [127], [128], [255], [255, 255], [255, 0]]
  .map((bytes) => Uint8Array.from(bytes))
  .flatMap((
    tail,
  ) => [tail, Uint8Array.from([1, 2, 3, 4, 5, 6, ...tail]), Uint8Array.from([...new Uint8Array(11), ...tail])]);

function unique(keys: Uint8Array[]): Uint8Array[] {
  return [...new Map(keys.map((key) => [key.join(), key])).values()];
}

Deno.test("sorted: keys come as unsigned bytes, the shorter of two first", () => {
  const index = new Index();
  const keys = unique(AWKWARD);
  for (const key of keys) put(index, key);
  assertEquals(live(index, new SortedKeys(index).list()), expected(keys));
});

Deno.test("sorted: long common prefixes and many keys", () => {
  const random = new Random(2);
  const index = new Index();
  const keys = unique(Array.from({ length: 5000 }, () => {
    const prefix = new Uint8Array(random.pick([0, 5, 6, 7, 300])).fill(random.pick([0, 255]));
    return Uint8Array.from([...prefix, ...random.bytes(random.below(4))]);
  }));
  for (const key of keys) put(index, key);
  assertEquals(live(index, new SortedKeys(index).list()), expected(keys));
});

Deno.test("sorted: positions by halving are those by looking at every key", () => {
  const index = new Index();
  const keys = unique(AWKWARD);
  for (const key of keys.filter((_, i) => i % 3 > 0)) put(index, key);
  const list = new SortedKeys(index).list();
  const all = Array.from({ length: list.length }, (_, i) => list.key(i));
  for (const key of keys) {
    assertEquals(list.position(key, false), all.filter((one) => compareBytes(one, key) < 0).length);
    assertEquals(list.position(key, true), all.filter((one) => compareBytes(one, key) <= 0).length);
  }
});

Deno.test("sorted: nothing new costs nothing", () => {
  const index = new Index();
  const sorted = new SortedKeys(index);
  put(index, Uint8Array.of(1));
  const list = sorted.list();
  put(index, Uint8Array.of(1));
  assertStrictEquals(sorted.list(), list);
});

Deno.test("sorted: a list stays as it was, whatever comes, goes, grows or is dropped", () => {
  const random = new Random(3);
  const index = new Index();
  const sorted = new SortedKeys(index);
  const keyed = (i: number) => Uint8Array.from([i >> 8, i & 255]);
  for (let i = 0; i < 2000; i += 2) put(index, keyed(i));
  const before = sorted.list();
  const keys = Array.from({ length: before.length }, (_, i) => before.key(i).join());
  for (let i = 0; i < 20_000; i++) {
    const key = keyed(random.below(4000));
    if (random.chance(0.6)) index.remove(keyOf(key));
    else put(index, key);
  }
  assertEquals(Array.from({ length: before.length }, (_, i) => before.key(i).join()), keys);
});

Deno.test("sorted: lists are right however many entries were dropped between two of them", () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = new Random(seed);
    const index = new Index();
    const sorted = new SortedKeys(index);
    const model = new Map<string, Uint8Array>();
    for (let scan = 0; scan < 5; scan++) {
      // Keys that never come back let their entries be dropped, several times between two scans.
      for (let i = random.below(6000); i > 0; i--) {
        const key = random.chance(0.5) ? random.bytes(3) : random.bytes(1);
        if (model.has(key.join()) || random.chance(0.3)) {
          model.delete(key.join());
          index.remove(keyOf(key));
        } else {
          model.set(key.join(), key);
          put(index, key);
        }
      }
      if (random.chance(0.5)) {
        const some = [...model.values()].filter(() => random.chance(0.9));
        for (const key of some) {
          model.delete(key.join());
          index.remove(keyOf(key));
        }
      }
      assertEquals(live(index, sorted.list()), expected(model.values()), `seed ${seed}, scan ${scan}`);
    }
  }
});
