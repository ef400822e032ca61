import { assert, assertEquals } from "@std/assert";
import { compareBytes } from "../../src/bytes.ts";
import { Index, type ReadIndex } from "../../src/engine/index.ts";
import { isBefore } from "../../src/order/keys.ts";
import type { Order } from "../../src/order/order.ts";
import { orderOf } from "../../src/sorting/sort.ts";
import { Random } from "../support/random.ts";

function keyOf(bytes: Uint8Array) {
  return { bytes, start: 0, length: bytes.length };
}

function put(index: Index, bytes: Uint8Array): void {
  index.put(keyOf(bytes), 1, 1, 1);
}

/** Keys of many shapes: they differ early and late, end within one another, and have runs of bytes in common. */
function keyFrom(random: Random): Uint8Array {
  const shared = [0, 1, 2, 40, 300][random.below(5)]!;
  const tail = Array.from({ length: random.below(6) }, () => [0, 1, 127, 128, 255][random.below(5)]!);
  const middle = new Array(random.below(2) * 60).fill(random.below(2));
  return Uint8Array.from([...new Array(shared).fill(7), ...middle, ...tail]);
}

/** How many keys are before an edge, by looking at each. */
function counted(order: Order, bytes: Uint8Array, isBehind: boolean): number {
  const edge = { ...keyOf(bytes), isBehind };
  return order.chunks.flatMap(({ refs, length }) => [...refs.subarray(0, length)])
    .filter((ref) => isBefore(order.index, ref, edge)).length;
}

function found(order: Order, bytes: Uint8Array, isBehind: boolean): number {
  const edge = { ...keyOf(bytes), isBehind };
  const number = order.chunkOf(edge);
  const at = order.chunks[number]?.find(order.index, edge) ?? 0;
  return order.chunks.slice(0, number).reduce((sum, { length }) => sum + length, at);
}

Deno.test("chunk: it finds the place of any key, whatever its keys have in common and whatever came and went", () => {
  for (const seed of [1, 2, 3, 4]) {
    const random = new Random(seed);
    const index = new Index(7);
    put(index, Uint8Array.of(7));
    const order = orderOf(index);
    for (let round = 0; round < 1500; round++) {
      if (random.below(4) > 0 || order.length === 0) put(index, keyFrom(random));
      else {
        const number = random.below(order.chunks.length);
        order.remove(number, random.below(order.chunks[number]!.length));
      }
      const key = keyFrom(random);
      const isBehind = random.below(2) === 0;
      assertEquals(found(order, key, isBehind), counted(order, key, isBehind), `seed ${seed}, round ${round}`);
    }
    const keys = order.chunks.flatMap(({ refs, length }) => [...refs.subarray(0, length)]).map((ref) => {
      const { bytes, start, length } = index.keyOf(ref);
      return bytes.slice(start, start + length);
    });
    assertEquals(keys, keys.toSorted(compareBytes));
  }
});

Deno.test("chunk: once it was searched a few times, one key is compared for each place found", () => {
  const index = new Index(7);
  const random = new Random(5);
  const text = () => new TextEncoder().encode(`tenant:${random.below(90)}:order:${random.below(1e9)}`);
  for (let i = 0; i < 20_000; i++) put(index, text());
  const order = orderOf(index);
  const looks = { count: 0 };
  const counting: ReadIndex = Object.create(index, {
    loaded: { value: (table: number) => (looks.count++, index.loaded(table)) },
  });
  const searches = order.chunks.flatMap((chunk) => {
    const edges = Array.from({ length: 60 }, () => ({ ...keyOf(text()), isBehind: false }));
    // The first searches compare more, and one of them makes the splits.
    for (const edge of edges.slice(0, 30)) chunk.find(index, edge);
    looks.count = 0;
    for (const edge of edges.slice(30)) chunk.find(counting, edge);
    return [looks.count];
  });
  assertEquals(new Set(searches), new Set([30]));
  assert(order.heldBytes <= 6 * order.length, `${order.heldBytes / order.length} bytes a key`);
});
