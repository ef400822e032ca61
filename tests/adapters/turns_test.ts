/**
 * Loops of awaited calls of the adapters leave others their turn. Reads are synchronous beneath, and a call that finds
 * nothing to do has nothing to wait for: such a loop never left the queue of promises, and no timer fired.
 *
 * What keyv and unstorage answer by themselves, without a call of the adapter, is not here; nor are `open` and `close`
 * of a `KvLevel` that is open or closed already, of which `abstract-level` awaits one promise.
 */

import { assert } from "@std/assert";
import { Keyv as Keyv5 } from "keyv";
import { KvKeyv } from "../../src/adapters/keyv.ts";
import { KvLevel } from "../../src/adapters/level.ts";
import kvstoreDriver from "../../src/adapters/unstorage.ts";
import { KvStore } from "../../mod.ts";
import { assertTurns } from "../support/turns.ts";
import { diskTest } from "./support/test_on_disk.ts";

type Calls = Record<string, () => Promise<unknown>>;

function keyvCalls(adapter: KvKeyv): Calls {
  return {
    get: () => adapter.get("k"),
    getMany: () => adapter.getMany(["k", "l"]),
    "getMany of nothing": () => adapter.getMany([]),
    set: () => adapter.set("k", "v"),
    "set of what cannot be stored": () => adapter.set("k", undefined),
    setMany: () => adapter.setMany([{ key: "k", value: "v" }]),
    "setMany of nothing": () => adapter.setMany([]),
    delete: () => adapter.delete("l"),
    deleteMany: () => adapter.deleteMany(["l"]),
    "deleteMany of nothing": () => adapter.deleteMany([]),
    has: () => adapter.has("k"),
    hasMany: () => adapter.hasMany(["k", "l"]),
    "hasMany of nothing": () => adapter.hasMany([]),
    iterator: () => Array.fromAsync(adapter.iterator()),
    "iterator over nothing": () => Array.fromAsync(adapter.iterator("none")),
  };
}

diskTest("keyv: no call, awaited in a loop, keeps timers from firing", async (directory) => {
  const adapter = new KvKeyv(directory, { durability: "write" });
  for (const [name, call] of Object.entries(keyvCalls(adapter))) await assertTurns(call, name);
  await assertTurns(() => adapter.clear(), "clear");
  adapter.namespace = "none";
  await assertTurns(() => adapter.clear(), "clear of a namespace without keys");
  for (const namespace of ["n", "m"]) new Keyv5({ store: adapter, namespace });
  await assertTurns(() => adapter.clear(), "clear that is refused");
  await assertTurns(() => Array.fromAsync(adapter.iterator("n")), "iterator that is refused");
  await adapter.disconnect();
  await assertTurns(() => adapter.disconnect(), "disconnect of what is not connected");
});

function unstorageCalls(driver: ReturnType<typeof kvstoreDriver>): Calls {
  return {
    getInstance: () => driver.getInstance(),
    hasItem: () => driver.hasItem("k"),
    getItem: () => driver.getItem("k"),
    getItems: () => driver.getItems([{ key: "k" }]),
    "getItems of nothing": () => driver.getItems([]),
    getItemRaw: () => driver.getItemRaw("k"),
    setItem: () => driver.setItem("k", "v"),
    setItems: () => driver.setItems([{ key: "k", value: "v" }]),
    "setItems of nothing": () => driver.setItems([]),
    setItemRaw: () => driver.setItemRaw("k", new Uint8Array(1)),
    "setItemRaw of what cannot be stored": () => driver.setItemRaw("k", Symbol()),
    removeItem: () => driver.removeItem("l"),
    getMeta: () => driver.getMeta("k"),
    getKeys: () => driver.getKeys(),
    "getKeys below what is not there": () => driver.getKeys("none:"),
    clear: () => driver.clear(),
    "clear below what is not there": () => driver.clear("none:"),
    "watch and its end": async () => await (await driver.watch(() => {}))(),
  };
}

diskTest("unstorage: no call, awaited in a loop, keeps timers from firing", async (directory) => {
  const driver = kvstoreDriver({ base: directory, durability: "write" });
  for (const [name, call] of Object.entries(unstorageCalls(driver))) await assertTurns(call, name);
  await driver.dispose();
  await assertTurns(() => driver.dispose(), "dispose of what is not connected");
});

function levelCalls(db: KvLevel): Calls {
  const NONE = { gt: "zz" };
  const iterator = db.iterator();
  return {
    get: () => db.get("k"),
    getMany: () => db.getMany(["k", "l"]),
    "getMany of nothing": () => db.getMany([]),
    has: () => db.has("k"),
    hasMany: () => db.hasMany(["k", "l"]),
    "hasMany of nothing": () => db.hasMany([]),
    put: () => db.put("k", "v"),
    del: () => db.del("l"),
    batch: () => db.batch([{ type: "put", key: "k", value: "v" }]),
    "batch of nothing": () => db.batch([]),
    "chained batch": () => db.batch().put("k", "v").write(),
    "chained batch of nothing": () => db.batch().write(),
    "chained batch that is closed": () => db.batch().close(),
    "clear of nothing": () => db.clear(NONE),
    "for await": () => Array.fromAsync(db.iterator()),
    "for await over nothing": () => Array.fromAsync(db.iterator(NONE)),
    all: () => db.iterator().all(),
    "all of nothing": () => db.iterator(NONE).all(),
    "keys, all of nothing": () => db.keys(NONE).all(),
    "values, all of nothing": () => db.values(NONE).all(),
    next: () => {
      iterator.seek("k");
      return iterator.next();
    },
    nextv: () => {
      iterator.seek("k");
      return iterator.nextv(10);
    },
    "nextv of nothing": () => {
      iterator.seek("zz");
      return iterator.nextv(10);
    },
    "iterator that is closed": () => db.iterator().close(),
    "snapshot that is closed": () => db.snapshot().close(),
    approximateSize: () => db.approximateSize("a", "z"),
    "approximateSize of nothing": () => db.approximateSize("zz", "zzz"),
    compactRange: () => db.compactRange("a", "z"),
    "destroy of what is not there": () => KvLevel.destroy(`${db.location}-none`),
    "destroy of what is no directory": () => KvLevel.destroy(""),
    "repair of what is not there": () => KvLevel.repair(`${db.location}-none`),
    clear: () => db.clear(),
  };
}

diskTest("level: no call, awaited in a loop, keeps timers from firing", async (directory) => {
  const db = new KvLevel(directory, { durability: "write" });
  await db.put("k", "v");
  for (const [name, call] of Object.entries(levelCalls(db))) await assertTurns(call, name);
  await db.close();
});

diskTest("adapters: no call that fails, tried again in a loop, keeps timers from firing", async (directory) => {
  const store = await KvStore.open(directory);
  const [adapter, driver] = [new KvKeyv(store), kvstoreDriver({ store })];
  await store.close();
  const calls = { ...keyvCalls(adapter), ...unstorageCalls(driver), clear: () => adapter.clear() };
  for (const [name, call] of Object.entries(calls)) await assertTurns(call, name);

  const db = new KvLevel(`${directory}-level`);
  await db.put("k", "v");
  const names = [
    "get",
    "getMany",
    "has",
    "hasMany",
    "put",
    "del",
    "batch",
    "chained batch",
    "clear",
    "approximateSize",
  ];
  const ofLevel = Object.entries(levelCalls(db)).filter(([name]) => names.includes(name));
  assert(ofLevel.length === names.length);
  await db.store.close();
  for (const [name, call] of ofLevel) await assertTurns(call, `level, ${name}`);
  await db.close().catch(() => {});
});
