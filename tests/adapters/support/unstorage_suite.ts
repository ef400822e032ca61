/**
 * What unstorage asks of a driver, through unstorage itself: `unstorage_suite.ts FOLDER`. Its own checks are not part
 * of the package; these cover the same ground, and what drivers may do beyond it.
 */

import { join } from "node:path";
import process from "node:process";
import { createStorage, prefixStorage, restoreSnapshot, snapshot, type Storage } from "unstorage";
import kvstoreDriver, { type KvDriverOptions } from "../../../src/adapters/unstorage.ts";
import { SuiteRunner } from "./suite_runner.ts";

const folder = process.argv[2]!;
const runner = new SuiteRunner();
const { it } = runner;
const driverOf = (name: string, options: KvDriverOptions = {}) =>
  kvstoreDriver({ base: join(folder, name), ...options });
let storage: Storage;

runner.beforeEach(async () => {
  storage = createStorage({ driver: driverOf("store") });
  await storage.clear();
});
runner.afterEach(() => storage.dispose());

/** Lets time pass until something is so; a machine that is busy may take its time. */
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (const start = performance.now(); !await isSo();) {
    if (performance.now() - start > 30_000) throw new Error(`never came to be so: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it("an empty storage: nothing there, no keys, clearing and removing are harmless", async ({ expect }) => {
  expect(await storage.hasItem("a:b")).toBe(false);
  expect(await storage.getItem("a:b")).toBe(null);
  expect(await storage.getItemRaw("a:b")).toBe(null);
  expect(await storage.getMeta("a:b")).toEqual({});
  expect(await storage.getKeys()).toEqual([]);
  await storage.removeItem("a:b");
  await storage.clear();
  await storage.clear("a");
});

it("what is set is there, under every spelling of its key", async ({ expect }) => {
  await storage.setItem("a:b", "text");
  for (const key of ["a:b", "a/b", "/a/b/", "a\\b", "a:b?version=2", ":a::b:"]) {
    expect(await storage.hasItem(key)).toBe(true);
    expect(await storage.getItem(key)).toBe("text");
  }
  await storage.removeItem("a/b");
  expect(await storage.hasItem("a:b")).toBe(false);
});

const VALUES: unknown[] = [
  "",
  "text",
  "\u{1f600} \ufeff",
  0,
  1.5,
  -7,
  true,
  false,
  null,
  [],
  [1, ["two"], { three: 3 }],
  {},
  { deep: { er: [null] } },
];

it("values come back: strings, numbers, booleans, null, arrays, objects", async ({ expect }) => {
  for (const [i, value] of VALUES.entries()) {
    await storage.setItem(`value:${i}`, value as string);
    expect([i, await storage.getItem(`value:${i}`)]).toEqual([i, value]);
    expect(await storage.hasItem(`value:${i}`)).toBe(true);
  }
});

it("values with a toJSON are stored as it says, others of a class are refused, undefined removes", async ({ expect }) => {
  await storage.setItem("json", { toJSON: () => ({ as: "it says" }) });
  expect(await storage.getItem("json")).toEqual({ as: "it says" });
  class Other {}
  await expect(storage.setItem("other", new Other())).rejects.toThrow("Cannot stringify");
  expect(await storage.hasItem("other")).toBe(false);
  await storage.setItem("json", undefined as unknown as string);
  expect(await storage.hasItem("json")).toBe(false);
});

it("raw values: every byte, other kinds of buffers, text, JSON", async ({ expect }) => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (const raw of [bytes, new Uint8Array(0), Buffer.from(bytes), bytes.buffer, new DataView(bytes.buffer, 7, 9)]) {
    await storage.setItemRaw("raw.bin", raw);
    const wanted = raw instanceof ArrayBuffer ? bytes : new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
    expect(new Uint8Array((await storage.getItemRaw<Uint8Array>("raw.bin"))!)).toEqual(wanted);
  }
  for (const raw of ["text", 7, { a: [1] }, null]) {
    await storage.setItemRaw("raw", raw);
    expect(await storage.getItemRaw("raw")).toEqual(raw);
  }
  await storage.setItemRaw("raw", new TextEncoder().encode('{"as":"text"}'));
  expect(await storage.getItem("raw")).toEqual({ as: "text" });
});

it("several items at once, over several mounts", async ({ expect }) => {
  storage.mount("other", driverOf("other"));
  const items = Array.from({ length: 50 }, (_, i) => ({ key: `${i % 2 ? "other:" : ""}n:${i}`, value: { i } }));
  await storage.setItems(items);
  const asked = [{ key: "other/n/1" }, "n:2?q", "n:nothing", { key: "other:n:49" }];
  expect(await storage.getItems(asked)).toEqual(
    // those of a mount follow one another
    [
      { key: "other:n:1", value: { i: 1 } },
      { key: "other:n:49", value: { i: 49 } },
      { key: "n:2", value: { i: 2 } },
      { key: "n:nothing", value: null },
    ],
  );
  expect((await storage.getKeys()).sort()).toEqual(items.map(({ key }) => key).sort());
  expect(await storage.getItem("other:n:3")).toEqual({ i: 3 });
  await storage.unmount("other");
  expect(await storage.getItem("other:n:3")).toBe(null);
  expect((await storage.getKeys()).length).toBe(25);
  storage.mount("other", driverOf("other"));
  expect(await storage.getItem("other:n:3")).toEqual({ i: 3 });
  await storage.clear("other");
  expect((await storage.getKeys()).length).toBe(25);
});

const DEEP = ["a", "b:c", "b:d", "b:e:f", "b:e:g:h", "bc:d"];

it("keys below a base, to a depth", async ({ expect }) => {
  for (const key of DEEP) await storage.setItem(key, key);
  expect(await storage.getKeys()).toEqual(DEEP);
  expect(await storage.getKeys("b")).toEqual(["b:c", "b:d", "b:e:f", "b:e:g:h"]);
  expect(await storage.getKeys("b/e/")).toEqual(["b:e:f", "b:e:g:h"]);
  expect(await storage.getKeys("c")).toEqual([]);
  for (const maxDepth of [0, 1, 2, 3, 4]) {
    const wanted = DEEP.filter((key) => key.split(":").length <= maxDepth + 1);
    expect(await storage.getKeys("", { maxDepth })).toEqual(wanted);
    expect(await storage.getKeys("b", { maxDepth })).toEqual(wanted.filter((key) => key.startsWith("b:")));
  }
});

it("clearing a mount leaves the others, and the driver clears below a base", async ({ expect }) => {
  for (const key of DEEP) await storage.setItem(key, key);
  const driver = driverOf("other");
  storage.mount("b", driver);
  for (const key of DEEP) await storage.setItem(`b:${key}`, key);
  await driver.clear("b:e:");
  expect(await driver.getKeys()).toEqual(["a", "b:c", "b:d", "bc:d"]);
  await driver.clear("b:");
  expect(await driver.getKeys()).toEqual(["a", "bc:d"]);
  await storage.clear("b");
  expect(await driver.getKeys()).toEqual([]);
  await storage.unmount("b");
  expect(await storage.getKeys()).toEqual(DEEP);
  await storage.clear();
  expect(await storage.getKeys()).toEqual([]);
});

it("meta data beside items, which are no items", async ({ expect }) => {
  await storage.setItem("page", "text");
  await storage.setMeta("page", { author: "Ada", mtime: new Date(86_400_000) });
  expect(await storage.getMeta("page")).toEqual({ author: "Ada", mtime: new Date(86_400_000) });
  expect(await storage.getMeta("page", { nativeOnly: true })).toEqual({});
  expect(await storage.getKeys()).toEqual(["page"]);
  await storage.removeMeta("page");
  expect(await storage.getMeta("page")).toEqual({});
  await storage.setMeta("page", { author: "Ada" });
  await storage.removeItem("page", { removeMeta: true });
  expect(await storage.getMeta("page")).toEqual({});
});

it("a storage with a prefix, a snapshot and its restoration", async ({ expect }) => {
  const inner = prefixStorage(storage, "inner");
  await inner.setItem("a", 1);
  await inner.setItem("b:c", 2);
  await storage.setItem("outer", 3);
  expect(await inner.getKeys()).toEqual(["a", "b:c"]);
  expect(await storage.getItem("inner:a")).toBe(1);
  const taken = await snapshot(storage, "inner");
  expect(taken).toEqual({ "a": 1, "b:c": 2 });
  for (const key of await inner.getKeys()) await inner.removeItem(key);
  expect(await storage.getKeys()).toEqual(["outer"]);
  await restoreSnapshot(storage, taken, "inner");
  expect(await inner.getItem("b:c")).toBe(2);
});

it("items with a time to live go when it is over; meta data tells how long they have", async ({ expect }) => {
  await storage.setItem("short", "s", { ttl: 0.05 });
  await storage.setItem("long", "l", { ttl: 60 });
  await storage.setItem("endless", "e", { ttl: 0 });
  await storage.setItemRaw("raw", new Uint8Array(1), { ttl: 0.05 });
  await storage.setItems([{ key: "many", value: "m", options: { ttl: 0.05 } }, { key: "kept", value: "k" }]);
  expect(await storage.getItem("long")).toBe("l");
  expect(await storage.getMeta("long")).toEqual({ ttl: 60 });
  expect(await storage.getMeta("endless")).toEqual({});
  await until(async () =>
    !(await storage.hasItem("short") || await storage.hasItem("raw") || await storage.hasItem("many"))
  );
  expect(await storage.getKeys()).toEqual(["endless", "kept", "long"]);
  expect(await storage.getItem("short")).toBe(null);
  await storage.setItem("long", "again");
  expect(await storage.getMeta("long")).toEqual({});
});

it("a time to live for all items, but for those with their own", async ({ expect }) => {
  storage.mount("cache", driverOf("store", { ttl: 60 }));
  await storage.setItem("cache:a", 1);
  await storage.setItem("cache:b", 2, { ttl: 3600 });
  await storage.setItem("cache:c", 3, { ttl: 0 });
  expect(await storage.getMeta("cache:a")).toEqual({ ttl: 60 });
  expect(await storage.getMeta("cache:b")).toEqual({ ttl: 3600 });
  expect(await storage.getMeta("cache:c")).toEqual({});
});

it("listeners hear of every change, whoever makes it, until they are told no more", async ({ expect }) => {
  const heard: string[] = [];
  const unwatch = await storage.watch((event, key) => heard.push(`${event} ${key}`));
  await storage.setItem("a:b", 1);
  await storage.setItemRaw("raw", new Uint8Array(3));
  await storage.setItems([{ key: "m:1", value: "1" }, { key: "m:2", value: "2" }]);
  await storage.removeItem("a:b");
  await storage.removeItem("not there");
  await storage.clear();
  const other = createStorage({ driver: driverOf("store") });
  await other.setItem("by:another", 1);
  const wanted = [
    "update a:b",
    "update raw",
    "update m:1",
    "update m:2",
    "remove a:b",
    "remove m:1",
    "remove m:2",
    "remove raw",
  ];
  await until(() => heard.length >= wanted.length + 1);
  expect(heard).toEqual([...wanted, "update by:another"]);
  await unwatch();
  await storage.setItem("a:b", 2);
  await storage.watch((event, key) => heard.push(`again ${event} ${key}`));
  await storage.setItem("c", 3);
  await until(() => heard.includes("again update c"));
  expect(heard.slice(wanted.length + 1)).toEqual(["again update c"]);
  await storage.unwatch();
  await other.dispose();
});

it("what was set is there after the storage was disposed of and made anew", async ({ expect }) => {
  await storage.setItem("kept", { a: 1 });
  await storage.setItemRaw("bytes", new Uint8Array([1, 2]));
  await storage.dispose();
  storage = createStorage({ driver: driverOf("store") });
  expect(await storage.getItem("kept")).toEqual({ a: 1 });
  expect([...(await storage.getItemRaw<Uint8Array>("bytes"))!]).toEqual([1, 2]);
});

await runner.run();
