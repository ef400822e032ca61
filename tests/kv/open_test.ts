/**
 * Opening: what a path may be, handles that share a directory, what is there when it is opened again, and what a store
 * must be.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { pathToFileURL } from "node:url";
import { KvStore, KvStoreError } from "../../mod.ts";
import { openKv } from "../../src/kv/mod.ts";
import { diskTest } from "../adapters/support/test_on_disk.ts";

diskTest("openKv: handles of one directory share the store, which is closed with the last", async (directory) => {
  const [one, two] = [await openKv(directory), await openKv(pathToFileURL(directory))];
  const setting = one.set(["a"], 1);
  // Not acknowledged yet: the other handle waits for it as well.
  assertEquals((await two.get(["a"])).value, 1);
  const { versionstamp } = await setting;
  assert((await two.atomic().check({ key: ["a"], versionstamp }).set(["a"], 2).commit()).ok);
  await one[Symbol.asyncDispose]();
  assertEquals((await two.get(["a"])).value, 2);
  await assertRejects(() => KvStore.open(directory), KvStoreError);
  two.close();
  // Waits until the store is closed.
  const three = await openKv(directory);
  assertEquals((await three.get(["a"])).value, 2);
  await three[Symbol.asyncDispose]();
  await (await KvStore.open(directory)).close();
});

diskTest("openKv: versionstamps and cursors go on when it is opened again", async (directory) => {
  const stamps: string[] = [];
  let cursor = "";
  const found: unknown[] = [];
  for (let i = 0; i < 4; i++) {
    await using kv = await openKv(directory);
    stamps.push((await kv.set(["a", i], i)).versionstamp);
    stamps.push((await kv.atomic().commit() as { versionstamp: string }).versionstamp);
    const list = kv.list({ prefix: ["a"] }, { cursor, limit: 1 });
    for await (const { value } of list) found.push(value);
    cursor = list.cursor;
  }
  assertEquals(stamps, [...new Set(stamps)].sort());
  assertEquals(found, [0, 1, 2, 3]);
});

diskTest(
  "openKv: a list, however short, comes to a damaged entry after those before it",
  async (directory) => {
    const kv = await openKv(directory);
    for (let i = 0; i < 5; i++) await kv.set(["a", i], `entry ${i}`);
    await kv[Symbol.asyncDispose]();
    const [segment] = [...Deno.readDirSync(directory)].filter(({ name }) => name.endsWith(".seg"));
    const file = `${directory}/${segment!.name}`;
    const intact = Deno.readFileSync(file);
    const at = new TextDecoder("latin1").decode(intact).indexOf("entry 2");
    Deno.writeFileSync(file, intact.map((byte, i) => i === at ? byte ^ 1 : byte));
    for (const limit of [5, 500]) {
      await using again = await openKv(directory);
      const list = again.list({ prefix: ["a"] }, { limit });
      const found: unknown[] = [];
      for (let i = 0; i < 5; i++) found.push(await list.next().then(({ value }) => value?.value, ({ code }) => code));
      assertEquals(found, ["entry 0", "entry 1", "CORRUPT", "entry 3", "entry 4"]);
    }
    Deno.writeFileSync(file, intact);
  },
);

diskTest("openKv: a store of something else is refused, and left as it is", async (directory) => {
  const store = await KvStore.open(directory);
  await store.set("a", 1);
  await store.close();
  const error = await assertRejects(() => openKv(directory), KvStoreError, "has keys that openKv has not written");
  assertEquals(error.code, "FORMAT");
  const again = await KvStore.open(directory);
  assertEquals([...again], [["a", 1]]);
  await again.clear();
  await again.set(new Uint8Array([0xff]), new Uint8Array([2]));
  await again.close();
  await assertRejects(() => openKv(directory), KvStoreError, "was written by a later version");
});

Deno.test("openKv: options and paths that are none", async () => {
  await assertRejects(() => openKv(""), TypeError, "Filename cannot be empty");
  await assertRejects(() => openKv(":a"), TypeError, "Filename cannot start with ':'");
  for (const url of ["http://localhost:4512", new URL("https://api.deno.com/databases/x/connect")]) {
    await assertRejects(() => openKv(url), TypeError, "for Deno.openKv");
  }
  await assertRejects(() => openKv(5 as never), TypeError);
  await assertRejects(() => openKv(":memory:", { limit: "store" } as never), TypeError, "openKv has no option limit");
  await assertRejects(() => openKv(":memory:", { limits: "none" as never }), TypeError, 'limits is "deno" or "store"');
});

Deno.test("openKv: stores in memory have nothing in common", async () => {
  using one = await openKv(":memory:");
  using two = await openKv(":memory:");
  await one.set(["a"], 1);
  assertEquals((await two.get(["a"])).value, null);
  const { constructor } = one as unknown as { constructor: new () => unknown };
  assertThrows(() => new constructor(), TypeError, "openKv");
});

Deno.test('openKv: { limits: "store" } lifts the limits of Deno', async () => {
  using kv = await openKv(":memory:", { limits: "store" });
  const key = ["k".repeat(60_000)];
  await kv.set(key, "v".repeat(1_000_000));
  assertEquals((await kv.get<string>(key)).value?.length, 1_000_000);
  const operation = kv.atomic();
  for (let i = 0; i < 2000; i++) operation.check({ key: ["a", i], versionstamp: null }).set(["a", i], i);
  assert((await operation.commit()).ok);
  const keys = Array.from({ length: 2000 }, (_, i) => ["a", i]);
  assertEquals((await kv.getMany(keys)).map(({ value }) => value), keys.map(([, i]) => i));
  assertEquals((await Array.fromAsync(kv.list({ prefix: [] }, { batchSize: 5000 }))).length, 2001);
  await assertRejects(() => kv.set(["k".repeat(70_000)], 1), RangeError);
});

Deno.test("openKv: a call over and over leaves the event loop its turns, also one that is refused", async () => {
  using kv = await openKv(":memory:");
  await kv.set(["a"], 1);
  for (
    const call of [
      () => kv.get(["a"]),
      () => kv.get(["b"]),
      () => kv.getMany([["a"]]),
      () => kv.list({ prefix: ["b"] }).next(),
      () => kv.atomic().check({ key: ["a"], versionstamp: null }).commit(),
      () => kv.get([{} as never]).catch(() => {}),
      () => kv.set([], 1).catch(() => {}),
    ]
  ) {
    let isOver = false;
    setTimeout(() => isOver = true, 1);
    const end = Date.now() + 2000;
    while (!isOver) {
      await call();
      assert(Date.now() < end, String(call));
    }
  }
});
