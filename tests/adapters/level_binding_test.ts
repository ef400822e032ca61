/**
 * What software relies on that was written for LevelDB's own binding, beside what the suite of abstract-level asks for.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { KvLevel } from "../../src/adapters/level.ts";
import { KvStoreError } from "../../mod.ts";
import { diskTest, timersDuring } from "./support/test_on_disk.ts";

const MANY = 200_000;

/** A database with so many small entries. */
async function filled(directory: string, count: number): Promise<KvLevel> {
  const db = new KvLevel(directory, { durability: "write" });
  for (let from = 0; from < count; from += 10_000) {
    const length = Math.min(10_000, count - from);
    await db.batch(Array.from({ length }, (_, i) => ({ type: "put", key: `key ${from + i}`, value: "value" })));
  }
  return db;
}

// Reads are synchronous beneath, so that awaiting them never left the queue of promises: a server that went through its
// keys answered nobody until it was done. Now a turn is due every few milliseconds.
diskTest("level: no pass over many entries keeps timers from firing", async (directory) => {
  const db = await filled(directory, MANY);
  const loops: Record<string, () => Promise<unknown>> = {
    "for await": async () => {
      for await (const _ of db.iterator());
    },
    next: async () => {
      const keys = db.keys();
      while (await keys.next() !== undefined);
      await keys.close();
    },
    nextv: async () => {
      const iterator = db.iterator();
      assertEquals((await iterator.nextv(MANY)).length, MANY);
      await iterator.close();
    },
    all: () => db.values().all(),
    approximateSize: () => db.approximateSize("key", "kez"),
  };
  await db.keys({ limit: 1 }).all();
  for (const [name, loop] of Object.entries(loops)) {
    const fired = await timersDuring(loop);
    assert(fired >= 2, `${name}: a timer fired ${fired} times`);
  }
  await db.close();
});

// all() read a thousand entries at a time, and values() made each key only to throw it away.
diskTest("level: all reads in one go, and only what is wanted", async (directory) => {
  const db = new KvLevel(directory, { durability: "write" });
  await db.batch(
    Array.from({ length: 2500 }, (_, i) => ({ type: "put", key: `key ${1000 + i}`, value: `value ${i}` })),
  );
  const wanted: [object, unknown[]][] = [
    [{}, ["key 1007", "value 7"]],
    [{ keys: false }, [undefined, "value 7"]],
    [{ values: false }, ["key 1007", undefined]],
  ];
  for (const [options, entry] of wanted) {
    const iterator = db.iterator(options) as unknown as Record<"_all" | "_next" | "_nextv", (size?: number) => unknown>;
    const calls: string[] = [];
    for (const name of ["_next", "_nextv"] as const) {
      const method = iterator[name];
      iterator[name] = (size) => {
        calls.push(name);
        return method.call(iterator, size);
      };
    }
    const entries = await iterator._all() as unknown[];
    assertEquals([calls, entries.length, entries[7]], [["_nextv"], 2500, entry]);
  }
  const limited = db.iterator({ limit: 3, gte: "key 2" });
  assertEquals(await limited.next(), ["key 2000", "value 1000"]);
  limited.seek("key 3000");
  assertEquals(await limited.all(), [["key 3000", "value 2000"], ["key 3001", "value 2001"]]);
  await db.close();
});

// search-index emits 'ready' once its first reads are done. Opening and reading took no turn of the event loop, so that
// this was over before whoever had made the index could listen.
diskTest("level: nothing happens before whoever made the database could listen", async (directory) => {
  for (const exists of [false, true]) {
    const events: string[] = [];
    const db = new KvLevel(directory);
    const first = db.get("a").then(() => events.push("read"));
    for (let i = 0; i < 50; i++) await undefined;
    db.once("open", () => events.push("open"));
    assertEquals([db.status, events], ["opening", []], `a store ${exists ? "is there" : "is made"}`);
    await first;
    assertEquals(events, ["open", "read"]);
    await db.close();
  }
});

// many-level, and rave-level on it, refuse a database that does not take Buffers as they are.
diskTest("level: text, Buffers and views are taken and given as they are", async (directory) => {
  const db = new KvLevel(directory);
  for (const name of ["utf8", "buffer", "view"] as const) {
    assertEquals([db.keyEncoding(name).name, db.valueEncoding(name).name], [name, name]);
  }
  const buffer = { keyEncoding: "buffer", valueEncoding: "buffer" };
  await db.put<Buffer, Buffer>(Buffer.from([0xff, 1]), Buffer.from([2, 0xff]), buffer);
  await db.put("text", "grün");
  const found = await db.get<Buffer, Buffer>(Buffer.from([0xff, 1]), buffer);
  assert(Buffer.isBuffer(found) && found.equals(Buffer.from([2, 0xff])));
  const entries = await db.iterator<Buffer, Buffer>(buffer).all();
  assertEquals(entries.map((entry) => entry.map((one) => Buffer.isBuffer(one) && one.toString("latin1"))), [
    ["text", Buffer.from("grün").toString("latin1")],
    ["\xff\x01", "\x02\xff"],
  ]);
  assertEquals(await db.keys<Buffer>({ ...buffer, gt: Buffer.from("u") }).all(), [Buffer.from([0xff, 1])]);
  await db.close();
});

// A generator or a loop that fills one buffer again and again put its last key three times.
diskTest("level: buffers are the caller's again once a call has returned", async (directory) => {
  const view = { keyEncoding: "view", valueEncoding: "view" };
  const db = new KvLevel<Uint8Array, Uint8Array>(directory, view);
  const key = new Uint8Array(1);
  const value = Buffer.alloc(1);
  const pending: Promise<void>[] = [];
  // While the database opens, too.
  for (const round of [0, 10, 20]) {
    for (key[0] = round; key[0] < round + 3; key[0]++) {
      value[0] = key[0] + 100;
      if (round === 0) pending.push(db.put(key, value));
      if (round === 10) pending.push(db.batch([{ type: "put", key, value }]));
      if (round === 20) pending.push(db.put(key, value).then(() => {}), db.del(key));
    }
  }
  await Promise.all(pending);
  const chained = db.batch();
  for (key[0] = 30; key[0] < 33; key[0]++) {
    value[0] = key[0] + 100;
    chained.put(key, value);
  }
  for (key[0] = 0; key[0] < 2; key[0]++) chained.del(key);
  await chained.write();
  const found = (await db.iterator().all()).map(([found, value]) => [found[0], value[0]! - found[0]!]);
  assertEquals(found, [2, 10, 11, 12, 30, 31, 32].map((key) => [key, 100]));
  await db.close();
});

diskTest(
  "level: approximateSize follows the bytes of a range, and compactRange gives space back",
  async (directory) => {
    const opening = new KvLevel(directory, { segmentBytes: 65_536, compaction: { auto: false } });
    assertEquals(await opening.approximateSize("a", "b"), 0);
    const db = opening;
    for (let i = 0; i < 100; i++) await db.put(`a${i}`, "x".repeat(1000), { sync: false });
    for (let i = 0; i < 1000; i++) await db.put(`b${i}`, "y".repeat(10), { sync: false });
    const near = (found: number, wanted: number) =>
      assert(Math.abs(found - wanted) < wanted / 10, `${found}, ${wanted}`);
    near(await db.approximateSize("a", "b"), 100 * 1040);
    near(await db.approximateSize("b", "c"), 1000 * 50);
    near(await db.approximateSize("", "z"), db.store.stats().liveBytes);
    assertEquals(await db.approximateSize("c", "d"), 0);
    assertEquals(await db.approximateSize(Buffer.from("a0"), Buffer.from("a1"), { keyEncoding: "buffer" }), 1038);
    for (let i = 0; i < 100; i++) await db.del(`a${i}`, { sync: false });
    const before = db.store.stats().diskBytes;
    await db.compactRange("a", "b");
    assert(db.store.stats().diskBytes < before / 2);
    await assertRejects(() => db.approximateSize("a", undefined as unknown as string), TypeError, "starts and ends");
    await db.close();
    for (const call of [() => db.approximateSize("a", "b"), () => db.compactRange("a", "b")]) {
      const error = await assertRejects(call, Error) as Error & { code: string };
      assertEquals(error.code, "LEVEL_DATABASE_NOT_OPEN");
    }
  },
);

diskTest("level: destroy deletes a closed database and nothing else, repair mends one", async (directory) => {
  const db = new KvLevel(directory);
  await db.put("a", "1");
  const error = await assertRejects(() => KvLevel.destroy(directory), Error) as Error & { code: string };
  assertEquals(error.code, "LEVEL_LOCKED");
  await db.close();
  await Deno.writeTextFile(`${directory}/notes.txt`, "mine");
  assertEquals((await KvLevel.repair(directory)).problems, []);
  await KvLevel.destroy(directory);
  assertEquals(Array.from(Deno.readDirSync(directory), ({ name }) => name), ["notes.txt"]);
  await KvLevel.destroy(directory);
  await Deno.remove(`${directory}/notes.txt`);
  await new KvLevel(directory).put("a", "1");
  await assertRejects(() => KvLevel.destroy(""), TypeError, "path");
  await assertRejects(() => KvLevel.repair(`${directory}-none`), KvStoreError, "no store");
});

diskTest("level: a directory of LevelDB is refused, with the store's reason beneath", async (directory) => {
  await Deno.mkdir(directory);
  for (const name of ["CURRENT", "LOCK", "MANIFEST-000001", "000003.log"]) {
    await Deno.writeTextFile(`${directory}/${name}`, "");
  }
  const error = await assertRejects(() => new KvLevel(directory).open(), Error) as Error & { code: string };
  const cause = error.cause as KvStoreError;
  assertEquals([error.code, cause.code], ["LEVEL_DATABASE_NOT_OPEN", "FORMAT"]);
  assert(cause.message.includes("LevelDB"), cause.message);
  assertEquals((await Deno.stat(`${directory}/LOCK`)).size, 0);
  await Deno.remove(directory, { recursive: true });
  await new KvLevel(directory).put("a", "1");
});
