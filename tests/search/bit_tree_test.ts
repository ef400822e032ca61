import { assertEquals } from "@std/assert";
import { compareBytes } from "../../src/bytes.ts";
import { BitTree } from "../../src/search/bit_tree.ts";
import { type Edge, isBefore, type KeyList } from "../../src/search/keys.ts";
import { Random } from "../support/random.ts";

const MAX_TOPS = 16;

/** A list of keys, each in an array of its own. Notes which keys are looked at. */
class Keys implements KeyList {
  readonly arenas: Uint8Array[] = [];
  readonly seen = new Set<number>();

  get length(): number {
    return this.arenas.length;
  }

  arenaOf(at: number): Uint8Array {
    this.seen.add(at);
    return this.arenas[at]!;
  }

  offsetOf(): number {
    return 1;
  }

  insert(at: number, key: Uint8Array): void {
    this.arenas.splice(at, 0, Uint8Array.of(99, key.length & 0xff, key.length >> 8, ...key));
  }
}

function edgeAt(key: Uint8Array, isBehind: boolean): Edge {
  return { bytes: key, start: 0, length: key.length, isBehind };
}

/** How many keys are before an edge, by looking at each. */
function counted(keys: Keys, edge: Edge): number {
  return keys.arenas.filter((_, at) => isBefore(keys, at, edge)).length;
}

/** Keys of many shapes: they differ early and late, end within one another, and have runs of bytes in common. */
function keyFrom(random: Random): Uint8Array {
  const shared = new Array([0, 1, 2, 40, 300][random.below(5)]!).fill(7);
  const middle = new Array(random.below(2) * 60).fill(random.below(2));
  const tail = Array.from({ length: random.below(6) }, () => [0, 1, 127, 128, 255][random.below(5)]!);
  return Uint8Array.from([...shared, ...middle, ...tail]);
}

Deno.test("bit-tree: it finds the place of any key, whatever keys have in common and whatever came and went", () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const random = new Random(seed);
    const keys = new Keys();
    let tree = new BitTree(MAX_TOPS);
    // Keys that all begin alike at first, and then do not.
    const prefix = new Array(random.below(80)).fill(7);
    for (let round = 0; round < 1200; round++) {
      if (random.below(5) === 0 && keys.length > 0) {
        const at = random.below(keys.length);
        tree.remove(keys, at);
        keys.arenas.splice(at, 1);
      } else {
        const key = Uint8Array.from([...(round < 200 ? prefix : []), ...keyFrom(random)]);
        const at = tree.find(keys, edgeAt(key, false));
        assertEquals(at, counted(keys, edgeAt(key, false)), `seed ${seed}, round ${round}`);
        if (at === counted(keys, edgeAt(key, true))) {
          tree.insert(keys, at);
          keys.insert(at, key);
        }
      }
      const edge = edgeAt(keyFrom(random), random.below(2) === 0);
      assertEquals(tree.find(keys, edge), counted(keys, edge), `seed ${seed}, round ${round}`);
      if (round % 300 === 299) {
        const half = new BitTree(MAX_TOPS);
        const from = random.below(keys.length);
        half.take(tree, from, keys.length);
        keys.arenas.splice(0, from);
        tree = half;
      }
    }
    const sorted = keys.arenas.map((arena) => arena.subarray(3));
    assertEquals(sorted, sorted.toSorted(compareBytes));
  }
});

Deno.test("bit-tree: once it was searched a few times, one key is compared for each place that is found", () => {
  const keys = new Keys();
  const tree = new BitTree(MAX_TOPS);
  const random = new Random(5);
  const key = () => new TextEncoder().encode(`tenant:${random.below(9)}:order:${random.below(1e9)}`);
  for (let i = 0; i < 1000; i++) {
    const edge = edgeAt(key(), false);
    const at = tree.find(keys, edge);
    tree.insert(keys, at);
    keys.insert(at, edge.bytes);
  }
  for (let i = 0; i < 1000; i++) {
    keys.seen.clear();
    tree.find(keys, edgeAt(key(), false));
    assertEquals(keys.seen.size, 1);
  }
});
