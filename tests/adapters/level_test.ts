/** What the suite of abstract-level does not look at. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type AbstractIterator, AbstractLevel } from "abstract-level";
import { Buffer } from "node:buffer";
import { KvLevel } from "../../src/adapters/level.ts";
import { KvStore, type KvStoreError } from "../../mod.ts";
import { canUseDisk } from "../support/permissions.ts";
import { diskTest } from "./support/test_on_disk.ts";

const bytes = (...all: number[]) => new Uint8Array(all);

/** All that an iterator brings. */
async function all<K, V>(iterator: AbstractIterator<unknown, K, V>): Promise<[K, V][]> {
  return await iterator.all();
}

diskTest("level: what is put is there after closing and opening again, also by the same object", async (directory) => {
  const db = new KvLevel<string, { n: number }>(directory, { valueEncoding: "json" });
  assert(db instanceof AbstractLevel);
  assertEquals(db.location, directory);
  await db.put("a", { n: 1 });
  await db.batch([{ type: "put", key: "b", value: { n: 2 } }, { type: "del", key: "a" }]);
  await db.close();
  await db.open();
  assertEquals(await all(db.iterator()), [["b", { n: 2 }]]);
  await db.close();
  const other = new KvLevel<string, { n: number }>(directory, { valueEncoding: "json", createIfMissing: false });
  assertEquals(await other.get("b"), { n: 2 });
  assertEquals(other.getSync("b"), { n: 2 });
  assertEquals(other.store.stats().keys, 1);
  await other.close();
  assertThrows(() => other.store, Error, "not open");
});

diskTest("level: text is text in the store, bytes are bytes, and each can be had as the other", async (directory) => {
  const db = new KvLevel<string, string>(directory);
  const view = { keyEncoding: "view", valueEncoding: "view" };
  await db.put("text", "grün");
  await db.put<Uint8Array, Uint8Array>(bytes(0xff, 0), bytes(0, 0xff), view);
  await db.put<string, unknown>("json", { a: [1] }, { valueEncoding: "json" });
  await db.put<string, Uint8Array>("buffer", Buffer.from("text"), { valueEncoding: "buffer" });
  assertEquals([...db.store], [
    ["buffer", new TextEncoder().encode("text")],
    ["json", '{"a":[1]}'],
    ["text", "grün"],
    [bytes(0xff, 0), bytes(0, 0xff)],
  ]);
  assertEquals(await db.get("buffer"), "text");
  assertEquals(
    await db.get<Uint8Array, Uint8Array>(new TextEncoder().encode("text"), view),
    new TextEncoder().encode("grün"),
  );
  assertEquals(
    await db.get<string, Uint8Array>("json", { valueEncoding: "view" }),
    new TextEncoder().encode('{"a":[1]}'),
  );
  // What other users of the store have set is readable, too.
  await db.store.set("foreign", { b: 2 } as unknown as string);
  assertEquals(await db.get<string, unknown>("foreign", { valueEncoding: "json" }), { b: 2 });
  assertEquals((await db.keys<Uint8Array>({ keyEncoding: "view" }).all()).length, 5);
  await db.close();
});

// Seeking outside the bounds went on at the nearest key within them, where abstract-level wants the end, and LevelDB's
// binding ends: who pages by seeking saw the first page again.
diskTest(
  "level: iterators go by bytes, and so does seek, in both directions; outside the bounds, of whatever kind, it ends",
  async (directory) => {
    // U+FFFF sorts before U+10000 by bytes, and behind it by UTF-16 units.
    const keys = ["", "a", "b", "ba", "c", "z", "\u00e9", "\uffff", "\u{10000}"];
    const db = new KvLevel(directory);
    await db.batch([...keys].reverse().map((key) => ({ type: "put", key, value: key })));
    assertEquals(await db.keys().all(), keys);
    const ranges = [
      {},
      { gte: "b" },
      { gt: "b" },
      { lte: "z" },
      { lt: "z" },
      { gt: "a", lt: "\uffff" },
      {
        gte: "b",
        lte: "ba",
      },
      { gt: "b", lt: "c" },
      { gt: "b", lt: "b" },
    ];
    for (const range of ranges) {
      const within = await db.keys(range).all();
      for (const reverse of [false, true]) {
        for (const target of [...keys, "0", "bb", "zz", "\u{10ffff}"]) {
          const iterator = db.keys({ ...range, reverse });
          await iterator.next();
          iterator.seek(target);
          const wanted = isWithin(target, range)
            ? within.filter((key) => reverse ? order(key, target) <= 0 : order(key, target) >= 0)
            : [];
          assertEquals(
            await iterator.all(),
            reverse ? wanted.reverse() : wanted,
            JSON.stringify([range, reverse, target]),
          );
        }
      }
    }
    await db.close();
  },
);

function isWithin(key: string, { gt, gte, lt, lte }: { gt?: string; gte?: string; lt?: string; lte?: string }) {
  return (gte === undefined || order(key, gte) >= 0) && (gt === undefined || order(key, gt) > 0) &&
    (lte === undefined || order(key, lte) <= 0) && (lt === undefined || order(key, lt) < 0);
}

function order(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

diskTest("level: an iterator sees one state, from its making on, also when it seeks", async (directory) => {
  const db = new KvLevel(directory);
  for (const key of ["a", "b", "c"]) await db.put(key, "old");
  const iterator = db.iterator();
  const snapshot = db.snapshot();
  await db.clear();
  await db.put("b", "new");
  assertEquals(await iterator.next(), ["a", "old"]);
  iterator.seek("b");
  assertEquals(await iterator.nextv(5), [["b", "old"], ["c", "old"]]);
  assertEquals(await iterator.next(), undefined);
  iterator.seek("a");
  assertEquals(await iterator.next(), ["a", "old"]);
  await iterator.close();
  assertEquals(await all(db.iterator({ snapshot })), [["a", "old"], ["b", "old"], ["c", "old"]]);
  assertEquals([await db.get("a", { snapshot }), await db.has("a", { snapshot }), await db.has("a")], [
    "old",
    true,
    false,
  ]);
  // Deletes what the snapshot had within the range.
  await db.clear({ snapshot, lt: "c" });
  assertEquals(await db.keys().all(), []);
  await snapshot.close();
  await assertRejects(() => db.get("a", { snapshot }), Error, "not open");
  await db.close();
});

diskTest("level: iterators and snapshots keep nothing once they are closed, or the database is", async (directory) => {
  const db = new KvLevel(directory, { segmentBytes: 4096, compaction: { auto: false } });
  for (let i = 0; i < 50; i++) await db.put(`key ${i}`, "v".repeat(500), { sync: false });
  const iterator = db.iterator();
  await iterator.next();
  const snapshot = db.snapshot();
  for (let i = 0; i < 50; i++) await db.del(`key ${i}`, { sync: false });
  await db.store.compact();
  assert(db.store.stats().pinnedSegments > 0);
  assertEquals((await iterator.all()).length, 49);
  await iterator.close();
  await snapshot.close();
  assertEquals(db.store.stats().pinnedSegments, 0);
  const left = [db.iterator(), db.keys(), db.values()];
  await db.close();
  for (const one of left) await assertRejects(() => one.next(), Error, "not open");
});

diskTest(
  "level: sublevels with binary keys and empty ones keep apart, and clearing one leaves the others",
  async (directory) => {
    const db = new KvLevel<Uint8Array, Uint8Array>(directory, { keyEncoding: "view", valueEncoding: "view" });
    const view = { keyEncoding: "view", valueEncoding: "view" };
    const names = ["a", "b", ["a", "inner"]];
    const sublevels = names.map((name) => db.sublevel<Uint8Array, Uint8Array>(name, view));
    const keys = [bytes(), bytes(0), bytes(0x21), bytes(0xff), bytes(0xff, 0xff), bytes(0xff, 0xff, 0)];
    for (const [i, sublevel] of sublevels.entries()) {
      await sublevel.batch(keys.map((key) => ({ type: "put", key, value: bytes(i, ...key) })));
    }
    await db.put(bytes(0xff), bytes(9));
    for (const [i, sublevel] of sublevels.entries()) {
      // The sublevel within a sublevel is a part of it.
      const own = (await sublevel.iterator().all()).filter(([, value]) => value[0] === i);
      assertEquals(own, keys.map((key) => [key, bytes(i, ...key)]));
    }
    await sublevels[2]!.clear();
    assertEquals([await size(sublevels[0]!), await size(sublevels[1]!), await size(sublevels[2]!)], [6, 6, 0]);
    await sublevels[0]!.clear({ gte: bytes(0x21), reverse: true, limit: 2 });
    assertEquals(await sublevels[0]!.keys().all(), [bytes(), bytes(0), bytes(0x21), bytes(0xff)]);
    await db.clear();
    assertEquals(db.store.size, 0);
    await db.close();

    async function size(sublevel: (typeof sublevels)[number]): Promise<number> {
      return (await sublevel.keys().all()).length;
    }
  },
);

diskTest(
  "level: more keys than a batch of deletes takes are cleared; what is put after the call stays",
  async (directory) => {
    const db = new KvLevel(directory, { durability: "write" });
    for (let from = 0; from < 2500; from += 500) {
      await db.batch(Array.from({ length: 500 }, (_, i) => ({ type: "put", key: `key ${from + i}`, value: "" })));
    }
    const cleared = db.clear({ gte: "key", lt: "kez" });
    const put = db.put("key 7", "again");
    await Promise.all([cleared, put]);
    assertEquals(await all(db.iterator()), [["key 7", "again"]]);
    await db.close();
  },
);

diskTest("level: a chained batch is written as one, cleared, or given up", async (directory) => {
  const db = new KvLevel(directory);
  await db.put("a", "1");
  await db.batch().put("b", "2").del("a").put("c", "3").write({ sync: true });
  assertEquals(await all(db.iterator()), [["b", "2"], ["c", "3"]]);
  await db.batch().put("d", "4").clear().put("e", "5").write();
  const given = db.batch().put("f", "6");
  await given.close();
  assertEquals(await db.keys().all(), ["b", "c", "e"]);
  await db.close();
});

diskTest("level: the option sync decides when a write is done; without it, the database does", async (directory) => {
  for (const durability of ["sync", "write"] as const) {
    const db = new KvLevel(directory, { durability });
    await db.open();
    const syncsOf = async (write: () => Promise<void>) => {
      const before = db.store.stats().syncs;
      await write();
      return db.store.stats().syncs - before;
    };
    for (const sync of [undefined, true, false]) {
      const wanted = sync ?? durability === "sync" ? 1 : 0;
      const options = sync === undefined ? {} : { sync };
      await db.store.flush();
      assertEquals(await syncsOf(() => db.put("a", "1", options)), wanted);
      assertEquals(await syncsOf(() => db.batch([{ type: "put", key: "b", value: "2" }], options)), wanted);
      assertEquals(await syncsOf(() => db.batch().put("c", "2").write(options)), wanted);
      assertEquals(await syncsOf(() => db.sublevel("s").put("c", "2", options as object)), wanted);
      assertEquals(await syncsOf(() => db.del("a", options)), wanted);
    }
    await db.close();
  }
});

diskTest("level: errors have Level's codes, with the store's beneath", async (directory) => {
  const holder = await KvStore.open<string>(directory);
  const db = new KvLevel(directory);
  await assertOpenFails(db, "LEVEL_LOCKED", "LOCKED");
  // The calls that waited for the opening are told, too.
  await assertRejects(() => new KvLevel(directory).get("a"), Error, "not open");
  await holder.set("a", "1");
  await holder.close();
  await db.open();
  assertEquals(await db.get("a"), "1");
  await db.close();

  await assertOpenFails(new KvLevel(directory, { errorIfExists: true }), "LEVEL_DATABASE_NOT_OPEN");
  await assertOpenFails(
    new KvLevel(`${directory}-none`, { createIfMissing: false }),
    "LEVEL_DATABASE_NOT_OPEN",
    "NOT_FOUND",
  );
  const unknown = { durability: "never" } as unknown as { durability: "sync" };
  const error = await assertRejects(() => new KvLevel(directory, unknown).open(), Error);
  assert(error.cause instanceof TypeError, String(error.cause));

  const reader = new KvLevel(directory, { readOnly: true });
  assertEquals(await reader.get("a"), "1");
  for (
    const write of [
      () => reader.put("a", "2"),
      () => reader.del("a"),
      () => reader.clear(),
      () => reader.clear({ gt: "" }),
    ]
  ) {
    const refused = await assertRejects(write, Error) as Error & { code: string };
    assertEquals([refused.code, (refused.cause as KvStoreError).code], ["LEVEL_READONLY", "READ_ONLY"]);
  }
  await reader.close();
});

async function assertOpenFails(db: KvLevel, code: string, ownCode?: string): Promise<void> {
  const error = await assertRejects(() => db.open(), Error) as Error & { code: string };
  assertEquals(error.code, "LEVEL_DATABASE_NOT_OPEN");
  const cause = error.cause as Error & { code: string };
  assertEquals(cause.code, code);
  if (ownCode !== undefined) assertEquals((cause.cause as KvStoreError).code, ownCode);
}

Deno.test("level: a damaged value is LEVEL_CORRUPTION, for its key alone, and iterators go on behind it", {
  ignore: !canUseDisk,
}, async () => {
  const root = await Deno.makeTempDir({ prefix: "kvstore-adapters-" });
  const db = new KvLevel(`${root}/store`, { cacheBytes: 0 });
  for (const key of ["a", "b", "c"]) await db.put(key, `value of ${key}`);
  const [{ name }] = [...Deno.readDirSync(`${root}/store`)].filter(({ name }) => name.endsWith(".seg")) as [
    Deno.DirEntry,
  ];
  const file = await Deno.readFile(`${root}/store/${name}`);
  const at = new TextDecoder("latin1").decode(file).indexOf("value of b");
  file[at]! ^= 1;
  await Deno.writeFile(`${root}/store/${name}`, file);
  for (
    const read of [() => db.get("b"), () => db.getMany(["a", "b"]), () => Promise.resolve().then(() => db.getSync("b"))]
  ) {
    const error = await assertRejects(read, Error) as Error & { code: string };
    assertEquals([error.code, (error.cause as KvStoreError).code], ["LEVEL_CORRUPTION", "CORRUPT"]);
  }
  const iterator = db.iterator();
  assertEquals(await iterator.next(), ["a", "value of a"]);
  await assertRejects(() => iterator.next(), Error, "damaged");
  assertEquals(await iterator.next(), ["c", "value of c"]);
  assertEquals(await db.has("b"), true);
  assertEquals(await db.keys().all(), ["a", "b", "c"]);
  await db.close();
  await Deno.remove(root, { recursive: true });
});
