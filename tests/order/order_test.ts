import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { compareBytes } from "../../src/bytes.ts";
import { Index } from "../../src/engine/index.ts";
import { type Edge, isBefore } from "../../src/search/keys.ts";
import type { Order } from "../../src/order/order.ts";
import { orderOf } from "../../src/sorting/sort.ts";
import { Walk } from "../../src/order/walk.ts";
import { Random } from "../support/random.ts";

function keyOf(bytes: Uint8Array) {
  return { bytes, start: 0, length: bytes.length };
}

function put(index: Index, bytes: Uint8Array): void {
  index.put(keyOf(bytes), 1, 1, 1);
}

function edge(bytes: Uint8Array, isBehind: boolean): Edge {
  return { ...keyOf(bytes), isBehind };
}

/** The keys that a walk comes to. */
function walked(order: Order, low?: Edge, high?: Edge, reverse: boolean = false): Uint8Array[] {
  const walk = new Walk(order, { low, high, reverse });
  const keys = [];
  for (let ref = walk.next(); ref !== undefined; ref = walk.next()) {
    const { bytes, start, length } = order.index.keyOf(ref);
    keys.push(bytes.slice(start, start + length));
  }
  return keys;
}

/** The keys in order that have a place in the index, as text. */
function live(order: Order): string[] {
  const keys = walked(order);
  for (let i = 1; i < keys.length; i++) assert(compareBytes(keys[i - 1]!, keys[i]!) < 0, `key ${i} is out of order`);
  assertEquals(walked(order, undefined, undefined, true).reverse(), keys);
  assertEquals(order.length, keys.length);
  order.chunks.slice(1).forEach((chunk, i) => {
    const key = chunk.first.subarray(2);
    const former = order.chunks[i]!;
    assert(
      isBefore(former, former.length - 1, edge(key, true)) &&
        !isBefore(chunk, 0, edge(key, false)),
      `chunk ${i + 1}`,
    );
  });
  return keys.filter((key) => order.index.find(key, 0, key.length)).map((key) => key.join());
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

Deno.test("order: keys come as unsigned bytes, the shorter of two first, whether sorted at once or one by one", () => {
  const keys = unique(AWKWARD);
  for (const early of [0, 5, keys.length]) {
    const index = new Index();
    for (const key of keys.slice(0, early)) put(index, key);
    const order = orderOf(index);
    for (const key of keys.slice(early)) put(index, key);
    assertEquals(live(order), expected(keys));
  }
});

Deno.test("order: long common prefixes and many keys", () => {
  const random = new Random(2);
  const keys = unique(Array.from({ length: 5000 }, () => {
    const prefix = new Uint8Array(random.pick([0, 5, 6, 7, 300])).fill(random.pick([0, 255]));
    return Uint8Array.from([...prefix, ...random.bytes(random.below(4))]);
  }));
  for (const early of [0, 2000, keys.length]) {
    const index = new Index();
    for (const key of keys.slice(0, early)) put(index, key);
    const order = orderOf(index);
    for (const key of keys.slice(early)) put(index, key);
    assertEquals(live(order), expected(keys));
    assertStrictEquals(orderOf(index), order);
  }
});

Deno.test("order: keys that come in order, forwards and backwards, fill their chunks", () => {
  for (const isBackwards of [false, true]) {
    const index = new Index();
    const order = orderOf(index);
    const keys = Array.from({ length: 20_000 }, (_, i) => Uint8Array.of(i >> 16, i >> 8, i));
    for (const key of isBackwards ? keys.toReversed() : keys) put(index, key);
    assertEquals(live(order), expected(keys));
    assert(order.heldBytes < 6 * keys.length, `${order.heldBytes} bytes`);
  }
});

Deno.test("order: a walk from edge to edge is what filtering all keys would give", () => {
  const index = new Index();
  const keys = unique(AWKWARD);
  const all = keys.filter((_, i) => i % 3 > 0).sort(compareBytes);
  for (const key of all) put(index, key);
  const order = orderOf(index);
  const edges = [undefined, ...keys.flatMap((key) => [edge(key, false), edge(key, true)])];
  const isBefore = (key: Uint8Array, { bytes, isBehind }: Edge) =>
    compareBytes(key, bytes) < 0 || (isBehind && compareBytes(key, bytes) === 0);
  for (const low of edges) {
    for (const high of edges) {
      const wanted = all.filter((key) =>
        (low === undefined || !isBefore(key, low)) && (high === undefined || isBefore(key, high))
      );
      assertEquals(walked(order, low, high), wanted);
      assertEquals(walked(order, low, high, true), wanted.reverse());
    }
  }
});

Deno.test("order: there is none before somebody asks, and then only new keys change it", () => {
  const index = new Index();
  put(index, Uint8Array.of(1));
  assertEquals(index.order, undefined);
  const order = orderOf(index);
  const { version } = order;
  put(index, Uint8Array.of(1));
  index.remove(keyOf(Uint8Array.of(1)));
  put(index, Uint8Array.of(1));
  assertEquals([order.version, order.length], [version, 1]);
  put(index, Uint8Array.of(2));
  assert(order.version > version);
});

Deno.test("order: it is right however many entries are dropped from the tables, and costs at most 6 bytes a key", () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = new Random(seed);
    const index = new Index();
    const model = new Map<string, Uint8Array>();
    for (let round = 0; round < 5; round++) {
      // Keys that never come back let their entries be dropped, again and again.
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
      const order = orderOf(index);
      assertEquals(live(order), expected(model.values()), `seed ${seed}, round ${round}`);
      assert(order.heldBytes <= 6 * order.length + 1024, `${order.heldBytes} bytes for ${order.length} keys`);
    }
  }
});

Deno.test("order: chunks that lose most of their keys, are joined, and get new ones begin where they say", () => {
  const random = new Random(5);
  const index = new Index();
  const keys = unique(Array.from({ length: 6000 }, () => random.bytes(3)));
  const [some, more] = [keys.slice(0, 4000), keys.slice(4000)];
  for (const key of some) put(index, key);
  const order = orderOf(index);
  const kept = new Set(some);
  for (const share of [10, 30, 3]) {
    for (const key of kept) if (random.below(share) > 0 && index.remove(keyOf(key))) kept.delete(key);
    const walk = new Walk(order, { low: undefined, high: undefined, reverse: share === 30 });
    for (let ref = walk.next(); ref !== undefined; ref = walk.next()) if (!index.lists(ref)) walk.remove();
    for (const key of more.splice(0, 600)) {
      put(index, key);
      kept.add(key);
    }
    assertEquals(live(order), expected(kept));
  }
});

Deno.test("order: places are found while chunks are split, joined and dropped, from the first to the last", () => {
  for (const seed of [1, 2, 3]) {
    const random = new Random(seed);
    const index = new Index();
    put(index, Uint8Array.of(1));
    const order = orderOf(index);
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 1000; i++) put(index, random.bytes(3));
      // Chunks lose all of their keys or most, often neighbours, so that some are joined.
      const start = random.below(order.chunks.length);
      for (let number = start; number < start + 3 && number < order.chunks.length - 1;) {
        while (order.remove(number, random.below(order.chunks[number]!.length)) && random.chance(0.995));
        number += random.below(2);
      }
      const counts = order.chunks.map(({ length }) => length);
      for (let i = 0; i < 30; i++) {
        const sought = edge(random.bytes(3), random.chance(0.5));
        const number = order.chunkOf(sought);
        const [before, behind] = [order.chunks[number - 1], order.chunks[number + 1]];
        if (before !== undefined) assertEquals(before.find(sought), counts[number - 1], `seed ${seed}, round ${round}`);
        if (behind !== undefined) assertEquals(behind.find(sought), 0, `seed ${seed}, round ${round}`);
      }
    }
    assert(order.chunks.length > 5, `${order.chunks.length} chunks`);
  }
});
