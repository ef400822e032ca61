/** The writer lock: one writer at a time, and what LOCK says is advice. */

import { assert, assertEquals } from "@std/assert";
import type { Case } from "./support/context.ts";
import { assertCode, bytes, contents, fill, flip, MANUAL, outcomes, SMALL, text } from "./support/helpers.ts";

export const lockCases: Case[] = [
  {
    name: "lock: a second open is LOCKED and names the holder, also in the same process",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      for (let i = 0; i < 3; i++) {
        const error = await assertCode(context.open(), "LOCKED");
        assert(error.message.includes(context.directory) && /\d/.test(error.message), error.message);
      }
      await assertCode(context.repair(), "LOCKED");
      await store.set("b", 1);
      assertEquals((await context.reopen(store)).size, 2);
    },
  },
  {
    name: "lock: of two opens at the same time one wins",
    async run(context) {
      const results = await Promise.allSettled([context.open(), context.open(), context.open()]);
      assertEquals(results.filter(({ status }) => status === "fulfilled").length, 1);
    },
  },
  {
    name: "lock: is free after close, after a failed open, and after the holder's death; LOCK stays",
    async run(context) {
      const store = await context.open();
      await store.set("a", "value a");
      await store.close();
      assert(context.files().includes("LOCK"));
      const restore = flip(context, "MANIFEST", 50);
      await assertCode(context.open(), "CORRUPT");
      restore();
      await context.open();
      assertEquals(contents(await context.reopenAfterKill()), [["a", "value a"]]);
      assert(context.files().includes("LOCK"));
    },
  },
  {
    name: "lock: what LOCK says is advice only",
    async run(context) {
      for (const said of ["", "garbage \u0000", text('{"process":1}', 10_000)]) {
        context.replaceFile("LOCK", bytes(said));
        await (await context.open()).close();
      }
    },
  },
  {
    name: "lock: once LOCK has been removed, no write is acknowledged any more",
    async run(context) {
      for (const durability of ["sync", "write"] as const) {
        const directory = `${context.root}/${durability}`;
        const store = await context.open(MANUAL, directory);
        await store.set("a", 1, { durability });
        context.platform.inner.remove(`${directory}/LOCK`);
        await assertCode(store.set("a", 2, { durability }), "FAILED");
        assertEquals(store.get("a"), 1);
        await assertCode(store.set("b", 1, { durability }), "FAILED");
        await assertCode(store.close(), "FAILED");
      }
    },
  },
  {
    name: "lock: a store whose LOCK was replaced switches no manifest any more",
    async run(context) {
      const store = await context.open(SMALL);
      await store.set("a", 1);
      context.replaceFile("LOCK", bytes("another"));
      assert((await outcomes([fill(store, 100)])).includes("FAILED"), "a rotation went well");
      assertEquals(store.get("a"), 1);
      await assertCode(store.set("b", 1), "FAILED");
      await assertCode(store.close(), "FAILED");
    },
  },
  {
    name: "lock: false opens a store that another one holds; that one fails, and what it acknowledged stays",
    async run(context) {
      const former = await context.open(MANUAL);
      await former.set("a", 1);
      const store = await context.open({ ...MANUAL, lock: false });
      await assertCode(former.set("a", 2), "FAILED");
      await assertCode(former.compact(), "FAILED");
      assertEquals([former.get("a"), store.get("a")], [1, 1]);
      await store.set("b", 1);
      await assertCode(former.close(), "FAILED");
      await store.set("c", 1);
      assertEquals(contents(await context.reopen(store)), [["a", 1], ["b", 1], ["c", 1]]);
    },
  },
  {
    name: "lock: false after a clean end: of two writers that have written nothing yet, the last one can",
    async run(context) {
      const first = await context.open();
      await first.set("a", "first");
      await first.close();
      const former = await context.open({ ...MANUAL, lock: false });
      const store = await context.open({ ...MANUAL, lock: false });
      await assertCode(former.set("a", "former"), "FAILED");
      await store.set("a", "last");
      await assertCode(former.close(), "FAILED");
      const again = await context.reopen(store);
      assertEquals(again.get("a"), "last");
    },
  },
];
