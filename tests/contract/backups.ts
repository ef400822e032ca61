/**
 * Backups that do not come to their end.
 *
 * Symptom: after a backup that was aborted, or that failed on a full disk, the next one to the same place was refused,
 * since the place was not empty. Cause: nothing removed what had been copied by then. Now the backup does, and nothing
 * else.
 */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Case, Context } from "./support/context.ts";
import { assertCode, bytes, contents, outcomes, SMALL } from "./support/helpers.ts";
import type { KvStore } from "../../mod.ts";

async function openFilled(context: Context): Promise<KvStore> {
  const store = await context.open(SMALL);
  for (let i = 0; i < 40; i++) store.set(`k${i}`, "v".repeat(500));
  await store.flush();
  return store;
}

async function assertCopy(context: Context, store: KvStore, destination: string): Promise<void> {
  await store.backup(destination);
  const copy = await context.open({}, destination);
  assertEquals(contents(copy), contents(store));
  await copy.close();
}

export const backupCases: Case[] = [
  {
    name: "backup: one that fails at any operation leaves nothing behind, and the next one to the same place works",
    async run(context) {
      const store = await openFilled(context);
      const destination = `${context.root}/copy`;
      const watch = (failAt: number) => {
        let seen = 0;
        context.platform.onOperation = ({ path }) => {
          if (path.startsWith(destination) && seen++ === failAt) throw new Error("no space left");
        };
        return () => seen;
      };
      for (const isThere of [false, true]) {
        for (let failAt = 0;; failAt++) {
          if (isThere && failAt === 0) context.platform.inner.makeDirectory(destination);
          const seen = watch(failAt);
          const [outcome] = await outcomes([store.backup(destination)]);
          context.platform.onOperation = undefined;
          if (outcome === "done") {
            assertEquals(seen(), failAt, "a failure was not told");
            break;
          }
          // What is left is what was there: nothing, or the empty directory.
          assertEquals(context.files(destination), [], `failed at ${failAt}`);
          assertEquals(context.files(context.root).includes("copy"), isThere, `failed at ${failAt}`);
        }
        for (const name of context.files(destination)) context.platform.inner.remove(`${destination}/${name}`);
        context.platform.inner.removeDirectory(destination);
        await assertCopy(context, store, destination);
        for (const name of context.files(destination)) context.platform.inner.remove(`${destination}/${name}`);
        context.platform.inner.removeDirectory(destination);
      }
    },
  },
  {
    name: "backup: one that is aborted leaves nothing behind, and the next one to the same place works",
    async run(context) {
      const store = await context.open();
      for (let i = 0; i < 3; i++) store.set(`k${i}`, new Uint8Array(2 << 20));
      await store.flush();
      const destination = `${context.root}/copy`;
      const stop = new AbortController();
      const onProgress = () => stop.abort(new Error("enough"));
      await assertRejects(() => store.backup(destination, { onProgress, signal: stop.signal }), Error, "enough");
      await assertRejects(() => store.backup(destination, { signal: stop.signal }), Error, "enough");
      assertEquals(context.files(context.root).includes("copy"), false);
      await assertCopy(context, store, destination);
    },
  },
  {
    name: "backup: of two to one place at a time one is refused, and takes nothing of the other's away",
    async run(context) {
      const store = await openFilled(context);
      const destination = `${context.root}/copy`;
      const found = await outcomes([store.backup(destination), store.backup(destination)]);
      assertEquals(found.sort(), ["IO", "done"]);
      const copy = await context.open({}, destination);
      assertEquals(contents(copy), contents(store));
    },
  },
  {
    name: "backup: what a backup left that was cut off is named, and is not written over",
    async run(context) {
      const store = await openFilled(context);
      context.platform.inner.makeDirectory(`${context.root}/copy`);
      const handle = context.platform.inner.open(`${context.root}/copy/0000000001.seg`, "create");
      handle.write(bytes("half"), 0);
      handle.close();
      const { message } = await assertCode(store.backup(`${context.root}/copy`), "IO");
      assertStringIncludes(message, "0000000001.seg (if an interrupted backup left it there, remove it)");
      assertEquals(context.files(`${context.root}/copy`), ["0000000001.seg"]);
    },
  },
];
