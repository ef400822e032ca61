/**
 * Extras: keys alone, counts, and the store below, which may be cleared under the handles.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { type KvKey, type KvListOptions, type KvListSelector, openKv } from "../../src/kv/mod.ts";
import { diskTest } from "../adapters/support/test_on_disk.ts";

const KEYS: KvKey[] = [["a"], ["a", 1], ["a", 1, "x"], ["a", 2n], ["a", new Uint8Array([0, 255])], ["b"], ["b", true]];

const LISTS: [selector: KvListSelector, options: KvListOptions][] = [
  [{ prefix: [] }, {}],
  [{ prefix: ["a"] }, {}],
  [{ prefix: ["a"] }, { reverse: true, limit: 2 }],
  [{ prefix: ["a"], start: ["a", 1] }, { batchSize: 2 }],
  [{ prefix: ["a"], end: ["a", 2n] }, { consistency: "eventual" }],
  [{ start: ["a", 1], end: ["b", true] }, {}],
  [{ start: [], end: ["z"] }, { limit: 4 }],
  [{ prefix: ["none"] }, {}],
];

Deno.test("kv extras: keys and counts are those of lists, and read no values", async () => {
  using kv = await openKv(":memory:");
  const operation = kv.atomic();
  for (const key of KEYS) operation.set(key, "x".repeat(1000));
  await operation.commit();
  await kv.set(["a", 3], 1, { expireIn: 0 });
  const listed = [];
  for (const [selector, options] of LISTS) {
    listed.push((await Array.fromAsync(kv.list(selector, options))).map(({ key }) => key));
  }
  for (const call of ["get", "getMany", "entries", "values"] as const) {
    kv.extras.store[call] = () => {
      throw new Error(`${call} was called`);
    };
  }
  for (const [i, [selector, options]] of LISTS.entries()) {
    assertEquals(await Array.fromAsync(kv.extras.keys(selector, options)), listed[i]);
    if (options.limit === undefined) assertEquals(await kv.extras.count(selector), listed[i]!.length);
  }
  const all = await Array.fromAsync(kv.extras.keys({ prefix: [] }));
  assertEquals(all.length, KEYS.length);
  const found: KvKey[] = [];
  for (let cursor = ""; found.length < all.length;) {
    const list = kv.extras.keys({ prefix: [] }, { cursor, limit: 3 });
    for await (const key of list) found.push(key);
    cursor = list.cursor;
  }
  assertEquals(found, all);
});

Deno.test("kv extras: keys and counts refuse what lists refuse", async () => {
  const kv = await openKv(":memory:");
  const { extras } = kv;
  assertThrows(() => extras.keys({} as never), TypeError, "Selector must specify");
  assertThrows(() => extras.keys({ prefix: [] }, { limit: 0 }), Error, "Limit must be a positive integer");
  await assertRejects(() => extras.keys({ prefix: ["a"] }, { batchSize: 1001 }).next(), TypeError, "Too many entries");
  await assertRejects(() => extras.count({} as never), TypeError, "Selector must specify");
  await assertRejects(() => extras.count({ start: ["b"], end: ["a"] }), TypeError, "Start key is greater");
  await assertRejects(() => extras.count({ prefix: ["x".repeat(2050)] }), TypeError, "Key too large for read");
  const keys = extras.keys({ prefix: [] });
  kv.close();
  await assertRejects(() => keys.next(), Error, "Bad resource ID");
  await assertRejects(() => extras.count({ prefix: [] }), Error, "Bad resource ID");
  assertThrows(() => extras.store, Error, "Bad resource ID");
});

Deno.test("kv extras: keys and counts show no internal keys, and what is not durable yet only once it is", async () => {
  using kv = await openKv(":memory:");
  assertEquals(await kv.extras.count({ prefix: [] }), 0);
  // As messages of queues have.
  await kv.extras.store.set(Uint8Array.of(0xfe, 1), new Uint8Array(9));
  assertEquals(await Array.fromAsync(kv.extras.keys({ prefix: [] })), []);
  assertEquals(await kv.extras.count({ prefix: [] }), 0);
  assertEquals(await Array.fromAsync(kv.list({ prefix: [] })), []);
  const setting = kv.set(["a"], 1);
  let isSet = false;
  void setting.then(() => isSet = true);
  assertEquals(await kv.extras.count({ prefix: [] }), 1);
  assert(isSet);
});

Deno.test("kv extras: an entry tells when it expires, once it is durable", async () => {
  const kv = await openKv(":memory:");
  const { extras } = kv;
  const before = Date.now();
  const setting = kv.atomic().set(["a"], 1, { expireIn: 60_000 }).set(["b"], 1).set(["c"], 1, { expireIn: 0 }).commit();
  let isSet = false;
  void setting.then(() => isSet = true);
  const expiresAt = await extras.expiresAt(["a"]) ?? 0;
  assert(isSet && expiresAt >= before + 60_000 && expiresAt <= Date.now() + 60_000, `${isSet}, ${expiresAt - before}`);
  for (const name of ["b", "c", "d"]) assertEquals(await extras.expiresAt([name]), undefined);
  await kv.set(["a"], 2);
  assertEquals(await extras.expiresAt(["a"]), undefined);
  await assertRejects(() => extras.expiresAt([{}] as never), TypeError);
  kv.close();
  await assertRejects(() => extras.expiresAt(["a"]), Error, "Bad resource ID");
});

Deno.test("kv extras: a long count leaves the event loop its turns, and ends with the handle", async () => {
  const kv = await openKv(":memory:", { limits: "store" });
  for (let i = 0; i < 8; i++) {
    const operation = kv.atomic();
    for (let j = 0; j < 5000; j++) operation.set(["a", i, j], 0);
    await operation.commit();
  }
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  assertEquals(await kv.extras.count({ prefix: ["a"] }), 40_000);
  clearInterval(timer);
  assert(turns > 1, `${turns} turns`);
  const counting = assertRejects(() => kv.extras.count({ prefix: ["a"] }), Error, "Bad resource ID");
  setTimeout(() => kv.close(), 1);
  await counting;
});

diskTest("kv extras: the store below can be cleared; the next commit marks it again", async (directory) => {
  for (const isWritten of [false, true]) {
    await using kv = await openKv(directory);
    const first = await kv.set(["a"], 1);
    await kv.extras.store.clear();
    assertEquals(kv.extras.store.size, 0);
    assertEquals(await kv.get(["a"]), { key: ["a"], value: null, versionstamp: null });
    if (!isWritten) continue;
    const { ok } = await kv.atomic().check({ key: ["a"], versionstamp: null }).set(["b"], 2).commit();
    assert(ok);
    const second = await kv.set(["c"], 3);
    assert(second.versionstamp > first.versionstamp);
    // The two, and the mark.
    assertEquals(kv.extras.store.size, 3);
    assertEquals(await kv.extras.count({ prefix: [] }), 2);
  }
  await using kv = await openKv(directory);
  assertEquals((await Array.fromAsync(kv.list({ prefix: [] }))).map(({ value }) => value), [2, 3]);
  // While it is being cleared, and by a commit of deletes alone.
  const clearing = kv.extras.store.clear();
  await Promise.all([clearing, kv.delete(["b"])]);
  assertEquals(kv.extras.store.size, 1);
});

diskTest(
  "kv extras: a watch sees that the store below was cleared; a backup of it is a store of openKv",
  async (directory) => {
    const kv = await openKv(directory);
    await kv.set(["a"], 1);
    await kv.extras.store.backup(`${directory}-copy`);
    const reader = kv.watch([["a"]]).getReader();
    assertEquals((await reader.read()).value?.[0].value, 1);
    await kv.extras.store.clear();
    assertEquals((await reader.read()).value?.[0].value, null);
    await kv[Symbol.asyncDispose]();
    await using copy = await openKv(`${directory}-copy`);
    assertEquals((await copy.get(["a"])).value, 1);
    assert(copy.extras.store instanceof KvStore);
  },
);
