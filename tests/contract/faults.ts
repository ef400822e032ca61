/** Faults at every step of opening and closing, and in the background. */

import { assert, assertEquals } from "@std/assert";
import { KvStoreError } from "../../mod.ts";
import type { Case, Context } from "./support/context.ts";
import {
  assertCode,
  contents,
  failSyncs,
  failWrites,
  fill,
  heal,
  MANUAL,
  outcomes,
  SMALL,
  turns,
} from "./support/helpers.ts";

/** Makes the n-th operation from now on fail; returns whether it has come to that. */
function failNth(context: Context, n: number): () => boolean {
  let left = n;
  context.platform.onOperation = () => {
    if (--left === 0) throw new Error(`fault at operation ${n}`);
  };
  return () => left <= 0;
}

/** Opens with a fault at each operation in turn, until one ends before its fault; what fails must hold nothing. */
async function openWithFaults(context: Context, check: () => Promise<void>): Promise<void> {
  for (let n = 1, isOver = false; !isOver; n++) {
    const hasFailed = failNth(context, n);
    const opened = await context.open(MANUAL).catch((error) => error);
    heal(context);
    isOver = !hasFailed();
    if (opened instanceof Error) {
      assert(opened instanceof KvStoreError, `fault ${n} came out as ${opened}`);
      assertEquals(context.platform.held, 0, `fault ${n}: files or locks are still held`);
    } else await opened.close();
    await check();
  }
}

export const faultCases: Case[] = [
  {
    name: "faults: at whichever operation creating a store fails, nothing is held, and the next open works",
    async run(context) {
      await openWithFaults(context, async () => {
        const store = await context.open(MANUAL);
        assertEquals(contents(store), []);
        await store.close();
        for (const name of context.files()) context.platform.inner.remove(`${context.directory}/${name}`);
      });
      await (await context.open()).close();
    },
  },
  {
    name: "faults: at whichever operation opening after a crash fails, nothing is held, and the next open has all",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 50);
      const expected = contents(store);
      context.kill();
      const crashed = context.image();
      await openWithFaults(context, async () => {
        const again = await context.open(SMALL);
        assertEquals(contents(again), expected);
        await again.close();
        for (const name of context.files()) context.platform.inner.remove(`${context.directory}/${name}`);
        for (const [name, bytes] of crashed) context.replaceFile(name, bytes);
      });
    },
  },
  {
    name: "faults: at whichever operation closing fails, nothing is held, and what was acknowledged is there",
    async run(context) {
      for (let n = 1, isOver = false; !isOver; n++) {
        const store = await context.open(MANUAL);
        await store.set("acknowledged", n);
        const pending = store.set("pending", n, { durability: "write" });
        const hasFailed = failNth(context, n);
        const [, written] = await outcomes([store.close(), pending]);
        isOver = !hasFailed();
        heal(context);
        assertEquals(context.platform.held, 0, `fault ${n}`);
        context.forget(store);
        const again = await context.open(MANUAL);
        assertEquals(again.get("acknowledged"), n, `fault ${n}`);
        if (written === "done") assertEquals(again.get("pending"), n, `fault ${n}`);
        await again.close();
      }
    },
  },
  {
    name: "faults: a failed manifest at closing rejects with IO and loses nothing",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.set("a", 1);
      context.platform.onOperation = ({ kind, path }) => {
        if (kind === "rename" && path.endsWith("MANIFEST")) throw new Error("no space left");
      };
      await assertCode(store.close(), "IO");
      heal(context);
      context.forget(store);
      assertEquals(contents(await context.open(MANUAL)), [["a", 1]]);
    },
  },
  {
    name: "faults: an index image that cannot be written is no failure of the store, and goes to onError",
    async run(context) {
      const errors: Error[] = [];
      const store = await context.open({ ...MANUAL, onError: (error) => void errors.push(error) });
      await fill(store, 1500);
      context.platform.onOperation = ({ kind, path }) => {
        if (kind === "write" && path.includes("INDEX")) throw new Error("no space left");
      };
      await store.close();
      heal(context);
      assert(errors.length > 0 && errors[0]!.message.includes("no space left"), String(errors[0]));
      assertEquals((await context.open(MANUAL)).size, 1500);
    },
  },
  {
    name: "faults: a failed sync in the background fails the store, and nobody is left with an unhandled rejection",
    async run(context) {
      const store = await context.open({ ...MANUAL, durability: "write" });
      await store.set("a", 1, { durability: "sync" });
      failSyncs(context);
      for (let i = 0; i < 5; i++) await store.set("b", new Uint8Array(1024 * 1024)).catch(() => {});
      await turns(2);
      heal(context);
      await assertCode(store.set("c", 1), "FAILED");
      assertEquals([store.get("a"), store.has("c")], [1, false]);
      await assertCode(store.close(), "FAILED");
      const again = await context.open(MANUAL);
      await again.clear();
      await again.compact();
    },
  },
  {
    name: "faults: appends that fail during a compaction harm neither",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 400);
      await fill(store, 300, "second ".repeat(14));
      const expected = contents(store);
      let isDone = false;
      const compaction = outcomes([store.compact()]).then((outcome) => (isDone = true, outcome));
      const failing = new Set<string>();
      for (let i = 0; !isDone && i < 300; i++) {
        const active = context.segments().at(-1)!;
        context.platform.onOperation = ({ kind, path }) => {
          if (kind === "write" && path.endsWith(active)) throw new Error("no space left");
        };
        const key = `key ${String((i * 37) % 400).padStart(5, "0")}`;
        for (const outcome of await outcomes([store.set(key, "lost"), store.delete(key)])) failing.add(outcome);
        heal(context);
        await turns(1);
      }
      const [outcome] = await compaction;
      assert(outcome === "done" || outcome === "IO", outcome);
      if (!failing.has("done")) assertEquals(contents(store), expected);
      failWrites(context);
      await outcomes([store.clear()]);
      heal(context);
      await store.compact();
      if (!failing.has("done")) assertEquals(contents(store), expected);
    },
  },
];
