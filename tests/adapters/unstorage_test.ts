/** What is not seen through unstorage. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createStorage, type Driver } from "unstorage";
import kvstoreDriver, { type KvDriver } from "../../src/adapters/unstorage.ts";
import { KvStore, KvStoreError } from "../../mod.ts";
import { diskTest } from "./support/test_on_disk.ts";

/** The interface of unstorage is what the driver has; the compiler checks that here. */
const _fits: (driver: KvDriver) => Driver = (driver) => driver;

diskTest("unstorage: drivers on one directory, mounted at several places, share its store", async (directory) => {
  const options = { base: directory, durability: "write" as const };
  const storage = createStorage({ driver: kvstoreDriver(options) }).mount(
    "cache",
    kvstoreDriver({ ...options, ttl: 60 }),
  );
  await storage.setItem("a", 1);
  await storage.setItem("cache:b", 2);
  assertEquals(await storage.getItem("b"), 2);
  await storage.unmount("cache");
  assertEquals(await storage.getItem("a"), 1);
  await storage.dispose();
  const store = await KvStore.open(directory);
  assertEquals([...store], [["a", "1"], ["b", "2"]]);
  await store.close();
});

diskTest(
  "unstorage: an open store may be given, and stays open; what it holds besides does no harm",
  async (directory) => {
    const store = await KvStore.open(directory);
    await store.set(new Uint8Array([0xff, 0xfe]), "a key that is no text");
    await store.set("json", { a: 1 });
    const driver = kvstoreDriver({ store });
    assert(await driver.getInstance() === store);
    const storage = createStorage({ driver });
    assertEquals(await storage.getItem("json"), { a: 1 });
    assertEquals(await storage.getItemRaw("json"), { a: 1 });
    const heard: string[] = [];
    await storage.watch((event, key) => void heard.push(`${event} ${key}`));
    await store.set(new Uint8Array([0xff]), 1);
    await store.set("b", 1);
    await store.clear();
    await store.set("c", 1);
    while (heard.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(heard, ["update b", "remove ", "update c"]);
    await storage.dispose();
    await store.set("d", 1);
    assertEquals(heard.length, 3);
    await store.close();
  },
);

diskTest(
  "unstorage: errors of the store reject; the driver recovers when the store can be opened",
  async (directory) => {
    const holder = await KvStore.open(directory);
    const storage = createStorage({ driver: kvstoreDriver({ base: directory }) });
    const calls = [
      () => storage.getItem("a"),
      () => storage.setItem("a", 1),
      () => storage.getKeys(),
      () => storage.hasItem("a"),
      () => storage.clear(),
    ];
    for (const call of calls) assertEquals((await assertRejects(call, KvStoreError)).code, "LOCKED");
    await holder.close();
    await storage.setItem("a", 1);
    assertEquals(await storage.getItem("a"), 1);
    await storage.dispose();
    await storage.dispose();
  },
);

diskTest("unstorage: a storage that is only read leaves its store alone", async (directory) => {
  const store = await KvStore.open(directory);
  await store.set("a", "1");
  const storage = createStorage({ driver: kvstoreDriver({ base: directory, readOnly: true }) });
  assertEquals(await storage.getItem("a"), 1);
  for (const call of [() => storage.setItem("a", 2), () => storage.removeItem("a")]) {
    assertEquals((await assertRejects(call, KvStoreError)).code, "READ_ONLY");
  }
  await storage.dispose();
  await store.close();
});

diskTest("unstorage: a listener that throws hears of the rest, and its error is an uncaught one", async (directory) => {
  const uncaught: unknown[] = [];
  const note = (event: ErrorEvent) => {
    event.preventDefault();
    uncaught.push(event.error);
  };
  addEventListener("error", note);
  const storage = createStorage({ driver: kvstoreDriver({ base: directory }) });
  const heard: string[] = [];
  await storage.watch((_, key) => {
    heard.push(key);
    if (key === "bad") throw new Error("a fault of the listener");
  });
  for (const key of ["a", "bad", "c"]) await storage.setItem(key, 1);
  for (let i = 0; i < 1000 && !heard.includes("c"); i++) await new Promise((resolve) => setTimeout(resolve, 1));
  removeEventListener("error", note);
  assertEquals(heard, ["a", "bad", "c"]);
  assertEquals(uncaught.map(String), ["Error: a fault of the listener"]);
  await storage.dispose();
  await (await KvStore.open(directory)).close();
});

diskTest("unstorage: a watch that has failed does not keep dispose from closing the store", async (directory) => {
  const storage = createStorage({ driver: kvstoreDriver({ base: directory, readOnly: true }) });
  await (await KvStore.open(directory)).close();
  await storage.watch(() => {});
  await Deno.rename(`${directory}/MANIFEST`, `${directory}/aside`);
  await new Promise((resolve) => setTimeout(resolve, 600));
  await assertRejects(() => storage.dispose(), KvStoreError);
  // It would be a TypeError if the store were open, with other options.
  const other = createStorage({ driver: kvstoreDriver({ base: directory, readOnly: true, cacheBytes: 0 }) });
  await assertRejects(() => other.getItem("a"), KvStoreError);
  await Deno.rename(`${directory}/aside`, `${directory}/MANIFEST`);
  assertEquals(await other.getItem("a"), null);
  await other.dispose();
});

Deno.test("unstorage: options that are missing are refused, those of others ignored", () => {
  for (const options of [undefined, {}, { base: "" }]) {
    assertThrows(() => kvstoreDriver(options), TypeError, "needs the option base");
  }
  assertThrows(() => kvstoreDriver({ base: 7 as unknown as string }), TypeError, "path");
  // Nitro hands on what its configuration says, the driver's name included.
  const driver = kvstoreDriver({ base: "./data", ...{ driver: "kvstore" } });
  assertEquals(driver.name, "kvstore");
});

diskTest("unstorage: what was handed over while the store opens is the caller's to change", async (directory) => {
  const driver = kvstoreDriver({ base: directory });
  const bytes = new Uint8Array([1]);
  const items = [{ key: "b", value: "1" }];
  const done = [driver.setItemRaw("a", bytes), driver.setItems(items)];
  bytes[0] = 2;
  items[0]!.value = "2";
  await Promise.all(done);
  assertEquals([await driver.getItemRaw("a"), await driver.getItem("b")], [new Uint8Array([1]), "1"]);
  await driver.dispose();
});
