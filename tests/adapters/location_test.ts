/**
 * Where an adapter's store is. Adapters take what the library takes, a path or a `file:` URL. A string with a URL in it
 * made them create a directory named `file:`, and a URL passed for an open store.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { pathToFileURL } from "node:url";
import { KvKeyv } from "../../src/adapters/keyv.ts";
import { KvLevel } from "../../src/adapters/level.ts";
import kvstoreDriver from "../../src/adapters/unstorage.ts";
import { KvStore } from "../../mod.ts";
import { diskTest } from "./support/test_on_disk.ts";

diskTest("adapters: a file: URL is the directory that it names", async (directory) => {
  const url = pathToFileURL(directory);
  const [keyv, driver] = [new KvKeyv(url), kvstoreDriver({ base: url })];
  await keyv.set("a", "of keyv");
  // They share the store of the directory, however they name it.
  assertEquals([await driver.getItem("a"), await new KvKeyv(directory).get("a")], ["of keyv", "of keyv"]);
  assertEquals((await driver.getInstance()).toJSON().directory, directory);
  await Promise.all([keyv.disconnect(), driver.dispose()]);
});

diskTest("level: a file: URL is the directory that it names, also to destroy and repair", async (directory) => {
  const url = pathToFileURL(directory);
  const db = new KvLevel(url);
  await db.put("a", "1");
  assertEquals([db.location, await db.get("a")], [directory, "1"]);
  await db.close();
  assertEquals((await KvLevel.repair(url)).problems, []);
  await KvLevel.destroy(url);
  await assertRejects(() => KvStore.open(directory, { create: false }), Error, "no store");
  await (await KvStore.open(directory)).close();
});

Deno.test("adapters: what is neither a path nor a file: URL is refused at once", async () => {
  const bad: unknown[] = ["file:///data/store", "FILE:x", new URL("https://example.com/"), 7, null, {}, []];
  const makers: Record<string, (location: string) => unknown> = {
    keyv: (location) => new KvKeyv(location),
    level: (location) => new KvLevel(location),
    unstorage: (location) => kvstoreDriver({ base: location }),
  };
  for (const [name, make] of Object.entries(makers)) {
    for (const location of bad) {
      assertThrows(() => make(location as string), TypeError, "directory", `${name}: ${String(location)}`);
    }
  }
  for (const call of [KvLevel.destroy, KvLevel.repair]) {
    await assertRejects(() => call("file:///data/store"), TypeError);
  }
});
