/** History: the versions of a key that the log still holds, and writing one of them back. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Key, KvStore, Version } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { openAt, START } from "./expiry.ts";
import {
  assertCode,
  assertRefused,
  bytes,
  contents,
  damage,
  failWrites,
  fill,
  heal,
  holdSyncs,
  MANUAL,
  outcomes,
  SMALL,
} from "./support/helpers.ts";

/** Types of versions, the live one with a star. */
async function typesOf(store: KvStore, key: Key): Promise<string> {
  return (await store.history(key)).map(({ type, live }) => type + (live ? "*" : "")).join(" ");
}

export const historyCases: Case[] = [
  {
    name: "history: with values, those of each set that is intact",
    async run(context) {
      const store = await context.open(MANUAL);
      const values = [bytes(0, 255), "text", "\ud800", { a: [null] }, "damaged"];
      for (const value of values) await store.set("k", value);
      await store.delete("k");
      await store.flush();
      const restore = damage(context, "damaged");
      const versions = await store.history("k", { values: true });
      assertEquals(versions.map(({ value }) => value), [undefined, undefined, ...values.slice(0, -1).reverse()]);
      assertEquals((await store.history("k", { values: true, limit: 3 })).at(-1)?.value, { a: [null] });
      assert((await store.history("k")).every((version) => !("value" in version)));
      restore();
      await assertRejects(() => store.history("k", { values: 1 } as never), TypeError, "values is true or false");
    },
  },
  {
    name: "history: lists sets, deletes and clears of a key, the newest first, and which of them counts",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.clear();
      assertEquals(await store.history("a"), []);
      await store.set("a", "one");
      await store.set("other", 1);
      assertEquals(await typesOf(store, "a"), "set*");
      await store.delete("a");
      assertEquals(await typesOf(store, "a"), "delete set");
      await store.batch([{ type: "set", key: "a", value: "two" }, { type: "set", key: "a", value: "three" }]);
      assertEquals(await typesOf(store, bytes("a")), "set* set delete set");
      await store.clear();
      assertEquals(await typesOf(store, "a"), "clear set set delete set");
      assertEquals(await typesOf(store, "other"), "clear set");
      assertEquals(await typesOf(store, "never"), "");
      const versions = await store.history("a");
      versions.forEach((version, i) => {
        assert(i === 0 || version.seq < versions[i - 1]!.seq);
        assertEquals(version.segment, context.segments()[0]!);
        assertEquals(
          context.readFile(version.segment)[version.offset + 8],
          version.type === "set" ? 1 : version.type === "delete" ? 2 : 3,
        );
      });
      assertEquals(versions.map(({ bytes }) => bytes), [24, 24 + 1 + 5, 24 + 1 + 3, 24 + 1, 24 + 1 + 3]);
    },
  },
  {
    name: "history: what is pending is in it, what was taken back is not",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      const release = holdSyncs(context);
      const pending = store.set("a", 2);
      assertEquals(await typesOf(store, "a"), "set* set");
      release();
      await pending;
      failWrites(context);
      assertEquals(await outcomes([store.set("a", 3), store.delete("a")]), ["IO", "IO"]);
      heal(context);
      assertEquals(await typesOf(store, "a"), "set* set");
    },
  },
  {
    name: "history: goes through all segments, and back as far as compaction has left it",
    needsOpenFiles: true,
    async run(context) {
      let store = await context.open(SMALL);
      for (let i = 0; i < 20; i++) {
        await store.set("a", i);
        await fill(store, 20, `${i}`.repeat(40));
      }
      const versions = await store.history("a");
      assertEquals(versions.length, 20);
      assert(new Set(versions.map(({ segment }) => segment)).size > 3);
      store = await context.reopen(store, SMALL);
      assertEquals(await store.history("a"), versions);
      assertEquals(await store.history("a", { limit: 3 }), versions.slice(0, 3));
      assertEquals(await store.history("a", { limit: 0 }), []);
      const reader = await context.open({ readOnly: true });
      assertEquals(await reader.history("a"), versions);
      const during = store.history("a");
      await Promise.all([during, store.compact()]);
      assertEquals(await during, versions);
      const after = await store.history("a");
      assertEquals(after.map(({ seq, live }) => [seq, live]), [[versions[0]!.seq, true]]);
      assertEquals(await reader.history("a"), versions);
      assertEquals(store.stats().pinnedSegments, 0);
    },
  },
  {
    name: "restore: writes a version back byte for byte, as a new one, whatever kind of value it is",
    async run(context) {
      const store = await context.open(MANUAL);
      const values = ["text", "\ud800", bytes(0, 1, 255), { a: [1, null] }, 0, null, ""];
      for (const value of values) await store.set("k", value);
      await store.delete("k");
      const versions = (await store.history("k")).filter(({ type }) => type === "set").reverse();
      for (const [i, { seq, bytes: length }] of versions.entries()) {
        await store.restore("k", seq);
        assertEquals(store.get("k"), values[i]);
        const [newest] = await store.history("k");
        assertEquals([newest!.live, newest!.bytes], [true, length]);
        assert(newest!.seq > seq);
      }
      await store.restore(bytes("k"), versions[0]!.seq, { durability: "write" });
      assertEquals(contents(store), [[bytes("k"), "text"]]);
    },
  },
  {
    name: "restore: is a write like others: durable, told to watches, copied keys, and rejecting with what goes wrong",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", "old");
      await store.set("a", "new");
      const [, old] = await store.history("a") as [Version, Version];
      const watch = store.watch();
      const key = bytes("a");
      const restored = store.restore(key, old.seq);
      key.fill(0);
      await restored;
      const { value: change } = await watch.next();
      assertEquals(change?.type === "set" && change.value, "old");
      failWrites(context);
      await assertCode(store.restore("a", old.seq), "IO");
      heal(context);
      assertEquals(store.get("a"), "old");
      await assertRefused(() => store.restore("a", old.seq, { durability: "soon" as "sync" }), TypeError);
      await assertRefused(() => store.restore(7 as unknown as string, old.seq), TypeError);
      await assertRefused(() => store.restore("a", "1" as unknown as number), TypeError);
      await assertRejects(() => store.restore("a", 1.5), TypeError, "a whole number, not 1.5");
      await assertRefused(() => store.history("a", { limit: -1 }), RangeError);
      await assertRefused(() => store.history("a", { first: 1, limit: 1 } as { limit: number }), TypeError);
    },
  },
  {
    name: "restore: a version that is gone, another key's or no set is NOT_FOUND, a damaged one CORRUPT",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", "first value");
      await store.set("a", "second value");
      await store.delete("a");
      await store.set("b", 1);
      const [deleted, second, first] = await store.history("a") as [Version, Version, Version];
      const [other] = await store.history("b") as [Version];
      for (const seq of [deleted.seq, other.seq, 0, 12_345]) await assertCode(store.restore("a", seq), "NOT_FOUND");
      const repair = damage(context, "first value");
      const error = await assertCode(store.restore("a", first.seq), "CORRUPT");
      assertEquals([error.file, error.offset], [first.segment, first.offset]);
      assertEquals(await typesOf(store, "a"), "delete set set");
      repair();
      await store.compact();
      await assertCode(store.restore("a", second.seq), "NOT_FOUND");
      assertEquals(store.has("a"), false);
      const reader = await context.open({ readOnly: true });
      await assertCode(reader.restore("b", other.seq), "READ_ONLY");
    },
  },
  {
    name: "history: a version that has expired does not count; restored, it has its time again only if that is to come",
    async run(context) {
      const store = await openAt(context, MANUAL);
      await store.set("k", "soon", { ttl: 1000 });
      await store.set("k", "later", { ttl: 5000 });
      const [later, soon] = await store.history("k") as [Version, Version];
      assertEquals([later.expiresAt, later.live, soon.expiresAt, soon.live], [START + 5000, true, START + 1000, false]);
      context.clock.nowMs = START + 5000;
      assertEquals(await typesOf(store, "k"), "set set");
      context.clock.nowMs = START + 3000;
      assertEquals(await typesOf(store, "k"), "set set");
      await store.restore("k", soon.seq);
      assertEquals([store.get("k"), store.expiresAt("k")], ["soon", undefined]);
      await store.set("n", 1, { ttl: 10_000 });
      await store.delete("n");
      const [, old] = await store.history("n") as [Version, Version];
      await store.restore("n", old.seq);
      assertEquals([store.get("n"), store.expiresAt("n")], [1, old.expiresAt]);
    },
  },
  {
    name: "history: can be aborted, and ends when the store is closed",
    async run(context) {
      const store = await context.open(MANUAL);
      for (let i = 0; i < 50; i++) await store.set("a", new Uint8Array(100_000), { durability: "write" });
      const reason = new Error("enough");
      const controller = new AbortController();
      const onProgress = () => controller.abort(reason);
      const rejected = await store.history("a", { signal: controller.signal, onProgress }).catch((error) => error);
      assertEquals(rejected, reason);
      const [cut, restoring] = [store.history("a"), store.restore("a", 1)];
      const results = outcomes([cut, restoring]);
      await store.close();
      assertEquals(await results, ["CLOSED", "CLOSED"]);
      await assertCode(store.history("a"), "CLOSED");
    },
  },
];
