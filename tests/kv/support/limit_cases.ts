/**
 * Cases of limits.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Case, caseList, collect, type Kv, ofBytes } from "./cases.ts";

const { cases, add } = caseList();

/** The cases. */
export const limitCases: readonly Case[] = cases;

// limits

add("limits: keys that are written have 2,048 bytes at most", async (kv) => {
  const long = [ofBytes(2049)];
  await kv.set([ofBytes(2048)], 1);
  await kv.set([new Uint8Array(2045).fill(1), ""].slice(0, 1), 1);
  const message = "Key too large for write (max 2048 bytes)";
  await assertRejects(() => kv.set(long, 1), TypeError, message);
  await assertRejects(() => kv.delete(long), TypeError, message);
  await assertRejects(() => kv.atomic().check({ key: long, versionstamp: null }).commit(), TypeError, message);
  await assertRejects(() => kv.atomic().sum(long, 1n).commit(), TypeError, message);
});

add("limits: keys that are read have 2,048 bytes at most, too", async (kv) => {
  await kv.get([ofBytes(2048)]);
  const message = "Key too large for read (max 2049 bytes)";
  await assertRejects(() => kv.get([ofBytes(2049)]), TypeError, message);
  await assertRejects(() => kv.getMany([[ofBytes(2049)]]), TypeError, message);
});

add("limits: bounds of lists have 2,049 bytes at most", async (kv) => {
  await collect(kv.list({ prefix: [ofBytes(2048)] }));
  await collect(kv.list({ start: [ofBytes(2049)], end: ["b"] }));
  const message = "Key too large for read (max 2049 bytes)";
  await assertRejects(() => kv.list({ prefix: [ofBytes(2049)] }).next(), TypeError, message);
  await assertRejects(() => kv.list({ start: [ofBytes(2050)], end: ["b"] }).next(), TypeError, message);
  await assertRejects(() => kv.list({ start: ["a"], end: [ofBytes(2050, "b")] }).next(), TypeError, message);
});

add("limits: the empty key cannot be written", async (kv) => {
  const operations = [
    () => kv.set([], 1),
    () => kv.delete([]),
    () => kv.atomic().set([], 1).commit(),
    () => kv.atomic().check({ key: [], versionstamp: null }).commit(),
    () => kv.atomic().sum([], 1n).commit(),
  ];
  for (const operation of operations) await assertRejects(operation, TypeError, "key cannot be empty");
});

add("limits: values have 65,536 bytes at most", async (kv) => {
  await kv.set(["a"], new Uint8Array(65_536));
  await kv.set(["a"], "a".repeat(65_530));
  const message = "Value too large (max 65536 bytes)";
  await assertRejects(() => kv.set(["a"], new Uint8Array(65_537)), TypeError, message);
  await assertRejects(() => kv.set(["a"], "a".repeat(65_531)), TypeError, message);
});

add("limits: 10 keys at a time", async (kv) => {
  const keys = Array.from({ length: 11 }, (_, i) => ["a", i]);
  assertEquals((await kv.getMany(keys.slice(1))).length, 10);
  await assertRejects(() => kv.getMany(keys), TypeError, "Too many ranges (max 10)");
});

add("limits: 1,000 entries a batch", async (kv) => {
  await collect(kv.list({ prefix: ["a"] }, { batchSize: 1000 }));
  await assertRejects(() => kv.list({ prefix: ["a"] }, { batchSize: 1001 }).next(), TypeError, "Too many entries");
});

add("limits: 100 checks", async (kv) => {
  const commit = (n: number) => {
    const operation = kv.atomic();
    for (let i = 0; i < n; i++) operation.check({ key: ["a", i], versionstamp: null });
    return operation.commit();
  };
  assert((await commit(100)).ok);
  await assertRejects(() => commit(101), TypeError, "Too many checks (max 100)");
});

add("limits: 1,000 mutations", async (kv) => {
  const commit = (n: number) => {
    const operation = kv.atomic();
    for (let i = 0; i < n; i++) operation.set(["a", i], i);
    return operation.commit();
  };
  await commit(1000);
  await assertRejects(() => commit(1001), TypeError, "Too many mutations (max 1000)");
});

add("limits: 819,200 bytes a commit, with its keys, and once more those that get values", async (kv) => {
  // Twelve values of 65,536 bytes with keys of 3 bytes, and one that fills up.
  const commit = (bytes: number, more = (_operation: Kv) => {}) => {
    const operation = kv.atomic();
    for (let i = 1; i <= 12; i++) operation.set([new Uint8Array([i])], new Uint8Array(65_536));
    more(operation.set([new Uint8Array([99])], new Uint8Array(bytes)));
    return operation.commit();
  };
  const left = 819_200 - 12 * 65_536 - 13 * 3 * 2;
  const message = "Total mutation size too large (max 819200 bytes)";
  await commit(left);
  await assertRejects(() => commit(left + 1), TypeError, message);
  for (
    const [bytes, more] of [
      [3, (operation: Kv) => operation.check({ key: ["b"], versionstamp: null })],
      [3, (operation: Kv) => operation.delete(["b"])],
      [14, (operation: Kv) => operation.sum(["b"], 1n)],
    ] as const
  ) {
    await commit(left - bytes, more);
    await kv.delete(["b"]);
    await assertRejects(() => commit(left - bytes + 1, more), TypeError, message);
  }
});

add("limits: 81,920 bytes of keys that get values", async (kv) => {
  const commit = (bytes: number) => {
    const operation = kv.atomic().delete([ofBytes(2000)]);
    for (let i = 0; i < 40; i++) operation.set([ofBytes(2000, String.fromCharCode(65 + i))], 1);
    return operation.set([ofBytes(bytes, "z")], 1).commit();
  };
  await commit(1920);
  await assertRejects(() => commit(1921), TypeError, "Total key size too large (max 81920 bytes)");
});
