import { assert, assertEquals } from "@std/assert";
import { hashKey } from "../../src/hash.ts";
import { ENTRY_FIELDS, Partition } from "../../src/engine/partition.ts";
import { Random } from "../support/random.ts";
import { utf8 } from "../support/records.ts";

/** A table, and calls on it by text. */
class Table {
  readonly partition = new Partition(7);

  add(key: string, options: { segment?: number; hash?: number; keepDeleted?: boolean } = {}): number {
    const bytes = utf8(key);
    const hash = options.hash ?? hashKey(bytes, 0, bytes.length, 7);
    const id = this.partition.add(hash, bytes, 0, bytes.length, options.keepDeleted ?? false);
    const segment = options.segment ?? 1;
    this.partition.entries[id * ENTRY_FIELDS + 1] = segment;
    if (segment !== 0) this.partition.live++;
    return id;
  }

  find(key: string, hash?: number): number {
    const bytes = utf8(key);
    return this.partition.find(hash ?? hashKey(bytes, 0, bytes.length, 7), bytes, 0, bytes.length);
  }

  remove(key: string): void {
    this.partition.entries[this.find(key) * ENTRY_FIELDS + 1] = 0;
    this.partition.live--;
  }
}

Deno.test("partition: keys are found through growth, and nothing else is", () => {
  const table = new Table();
  const ids = new Map<string, number>();
  for (let i = 0; i < 5000; i++) {
    const key = `key ${i * 7919}`.repeat(i % 3 + 1);
    assertEquals(table.find(key), -1);
    ids.set(key, table.add(key));
  }
  for (const [key, id] of ids) assertEquals(table.find(key), id);
  for (let i = 0; i < 5000; i++) assertEquals(table.find(`other ${i}`), -1);
  assertEquals(table.partition.count, 5000);
});

Deno.test("partition: keys with one and the same hash are told apart", () => {
  const table = new Table();
  // Equal lengths, prefixes of one another, empty: all in the same slot with the same tag.
  const keys = ["", "a", "b", "aa", "ab", "ba", "\0", "\0\0", "a\0"];
  for (const key of keys) table.add(key, { hash: 0xffff_ffff });
  for (const [id, key] of keys.entries()) assertEquals(table.find(key, 0xffff_ffff), id, JSON.stringify(key));
  assertEquals(table.find("c", 0xffff_ffff), -1);
});

Deno.test("partition: the longest key and the empty key fit", () => {
  const table = new Table();
  const longest = "k".repeat(65_535);
  assertEquals([table.add(longest), table.add(""), table.add("after")], [0, 1, 2]);
  assertEquals([table.find(longest), table.find(""), table.find("after")], [0, 1, 2]);
  assertEquals(table.find("k".repeat(65_534)), -1);
});

Deno.test("partition: hashing depends on every byte, the length, the seed, and not on where the bytes lie", () => {
  const random = new Random(1);
  for (let length = 0; length < 20; length++) {
    const bytes = random.bytes(length + 9);
    const hash = hashKey(bytes, 5, length, 3);
    assert(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32);
    assertEquals(hashKey(bytes.slice(5), 0, length, 3), hash);
    assert(hashKey(bytes, 5, length, 4) !== hash || length === 0);
    for (let i = 0; i < length; i++) {
      const other = bytes.slice();
      other[5 + i]! ^= 0x80;
      assert(hashKey(other, 5, length, 3) !== hash, `byte ${i} of ${length}`);
    }
  }
  const zeros = new Uint8Array(9);
  assertEquals(new Set(Array.from({ length: 9 }, (_, i) => hashKey(zeros, 0, i, 3))).size, 9);
});

Deno.test("partition: dropping deleted entries keeps the others, and says which numbers they have now", () => {
  const table = new Table();
  const { partition } = table;
  for (let i = 0; i < 40; i++) table.add(`k${i}`);
  for (let i = 0; i < 40; i += 2) table.remove(`k${i}`);
  let ids: Uint32Array = new Uint32Array();
  partition.onDrop = (given) => ids = given;
  partition.dropDeleted();
  assertEquals([partition.count, partition.live], [20, 20]);
  assertEquals([...ids], Array.from({ length: 40 }, (_, i) => i % 2 === 0 ? 0 : 1 + (i >> 1)));
  for (let i = 0; i < 40; i++) assertEquals(table.find(`k${i}`), i % 2 === 0 ? -1 : i >> 1);
  for (let i = 0; i < 40; i += 2) table.add(`k${i}`);
  for (let i = 0; i < 40; i++) assertEquals(table.find(`k${i}`) >= 0, true);
});

Deno.test("partition: deleted entries make room only where nobody needs them", () => {
  for (const keepDeleted of [true, false]) {
    const table = new Table();
    for (let i = 0; i < 2000; i++) {
      table.add(`k${i}`, { keepDeleted });
      table.remove(`k${i}`);
    }
    assertEquals(table.partition.count === 2000, keepDeleted);
    if (!keepDeleted) assert(table.partition.heldBytes < 4096, `${table.partition.heldBytes} bytes`);
  }
});

Deno.test("partition: sequence numbers stay with their entries while the table grows", () => {
  const table = new Table();
  const { partition } = table;
  partition.trackSequences(true);
  for (let i = 0; i < 500; i++) {
    const id = table.add(`k${i}`);
    partition.sequences![id] = 2 ** 40 + i;
  }
  for (let i = 0; i < 500; i++) assertEquals(partition.sequences![table.find(`k${i}`)], 2 ** 40 + i);
  // Once more is harmless.
  partition.trackSequences(true);
  assertEquals(partition.sequences![3], 2 ** 40 + 3);
  partition.trackSequences(false);
  assertEquals(partition.sequences, undefined);
});

// Where there was no memory for the keys, the times of expiry had been replaced by those of an empty table.
Deno.test("partition: where there is no memory for dropping deleted entries, nothing has changed", () => {
  const kinds = ["Uint8Array", "Uint32Array", "Float64Array"] as const;
  const originals = kinds.map((kind) => globalThis[kind]);
  let made = 0;
  for (let n = 1, isReached = true; isReached; n++) {
    const table = new Table();
    const { partition } = table;
    for (let i = 0; i < 100; i++) table.add(`key ${i}`);
    partition.reserveExpiry();
    for (let i = 0; i < 100; i += 2) partition.expiries!.set(i, 1000 + i, i % 4 === 0);
    for (let i = 1; i < 100; i += 2) table.remove(`key ${i}`);
    const { entries, arena, slots, count, arenaBytes, expiries } = partition;
    made = 0;
    kinds.forEach((kind, i) => {
      // deno-lint-ignore no-explicit-any -- all three are made alike
      (globalThis as any)[kind] = new Proxy(originals[i]! as any, {
        construct(target, parameters) {
          if (++made === n) throw new RangeError("Array buffer allocation failed");
          return new target(...parameters);
        },
      });
    });
    try {
      partition.dropDeleted();
    } catch (error) {
      assert(made === n, `${error}`);
    } finally {
      // deno-lint-ignore no-explicit-any -- as above
      kinds.forEach((kind, i) => (globalThis as any)[kind] = originals[i]);
    }
    isReached = made === n;
    if (!isReached) continue;
    const now = [partition.entries, partition.arena, partition.slots, partition.expiries];
    assert([entries, arena, slots, expiries].every((part, i) => part === now[i]), `array ${n}`);
    assertEquals([partition.count, partition.arenaBytes], [count, arenaBytes]);
  }
  assert(made >= 6, `${made} arrays`);
});
