/**
 * Watches, where real Deno KV has nothing to be compared with: failing disks, expiry at its time, what a watch holds,
 * and several handles.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { KvStore } from "../../mod.ts";
import { Database } from "../../src/kv/database.ts";
import { Kv } from "../../src/kv/kv.ts";
import { encodeKey } from "../../src/kv/keys.ts";
import { mark } from "../../src/kv/mark.ts";
import { type KvEntryMaybe, openKv } from "../../src/kv/mod.ts";
import { diskTest } from "../adapters/support/test_on_disk.ts";
import { brokenDisk, newMachine } from "../crash/support/disk.ts";
import { DIRECTORY, OPTIONS } from "../crash/support/scenario.ts";
import type { MemoryPlatform } from "../support/memory_platform.ts";
import { canStartProcesses } from "../support/permissions.ts";

/** A handle of a store, and what hangs on it. */
interface Opened {
  kv: Kv;
  store: KvStore<Uint8Array>;
  database: Database;
  platform: MemoryPlatform;
}

async function open(): Promise<Opened> {
  const platform = newMachine();
  const store = await KvStore.openOn<Uint8Array>(platform, DIRECTORY, OPTIONS);
  await mark(store);
  const database = new Database(store, {}, () => store.close());
  return { kv: new Kv(database), store, database, platform };
}

/** What a watch shows next: the values; `undefined` at its end. */
async function shown(
  reader: ReadableStreamDefaultReader<readonly KvEntryMaybe<unknown>[]>,
): Promise<unknown[] | undefined> {
  return (await reader.read()).value?.map(({ value }) => value);
}

/** Resolves long after what is to happen at once, and before a watch looks again by itself. */
function later(): Promise<"later"> {
  return new Promise((resolve) => setTimeout(() => resolve("later"), 500));
}

/** Resolves once promises that are due and timers of a millisecond have had their turns. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("kv: no watch shows what is taken back", async () => {
  const { kv, platform } = await open();
  await kv.set(["a"], 0);
  const states: unknown[] = [];
  const reader = kv.watch([["a"], ["b"]]).getReader();
  const watching = (async () => {
    for (let state = await shown(reader); state !== undefined; state = await shown(reader)) states.push(state);
  })();
  await turns();
  for (const round of [1, 2, 3]) {
    platform.onOperation = (operation) => {
      if (operation.kind === "write" && operation.path.endsWith(".seg")) throw brokenDisk(operation);
    };
    // It reads in the next microtask, while the writes are pending, which are then refused in another one.
    const late = kv.watch([["a"], ["b"]]).getReader();
    const failing = [kv.set(["a"], "lost"), kv.atomic().delete(["a"]).set(["b"], "lost").commit()]
      .map((write) => assertRejects(() => write, Error, "injected"));
    assertEquals(await shown(late), [round - 1, null]);
    await Promise.all(failing);
    platform.onOperation = undefined;
    await turns();
    await kv.set(["a"], round);
    assertEquals(await shown(late), [round, null]);
    await late.cancel();
    await turns();
  }
  await kv[Symbol.asyncDispose]();
  await watching;
  assertEquals(states, [[0, null], [1, null], [2, null], [3, null]]);
});

Deno.test("kv: a watch fails with its store, and ends with its handle while a write fails", async () => {
  const { kv, platform, database } = await open();
  const reader = kv.watch([["a"]]).getReader();
  assertEquals(await shown(reader), [null]);
  platform.onOperation = (operation) => {
    if (operation.kind === "sync") throw brokenDisk(operation);
  };
  const failing = assertRejects(() => reader.read());
  await assertRejects(() => kv.set(["a"], 1));
  await failing;
  assertEquals([database.onWrite.size, database.onClose.size], [0, 0]);
  await assertRejects(() => kv[Symbol.asyncDispose]());

  const other = await open();
  other.platform.onOperation = (operation) => {
    if (operation.kind === "write" && operation.path.endsWith(".seg")) throw brokenDisk(operation);
  };
  const lost = assertRejects(() => other.kv.set(["a"], 1));
  const ending = other.kv.watch([["a"]]).getReader();
  await Promise.resolve();
  const closed = other.kv[Symbol.asyncDispose]();
  assertEquals(await shown(ending), undefined);
  await Promise.all([lost, closed]);
});

Deno.test("kv: a value that cannot be decoded is an error of the watch", async () => {
  const { kv, store, database } = await open();
  await store.set(encodeKey(["a"]), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0x77));
  await assertRejects(() => kv.watch([["a"]]).getReader().read());
  assertEquals([database.onWrite.size, database.onClose.size], [0, 0]);
  await kv[Symbol.asyncDispose]();
});

Deno.test("kv: a watch shows an expiry before anything that happens later, and only if it still comes", async () => {
  const { kv } = await open();
  await kv.atomic().set(["a"], 1, { expireIn: 40 }).set(["b"], 1, { expireIn: 20 }).set(["c"], 1, { expireIn: 10 })
    .commit();
  const reader = kv.watch([["a"], ["b"], ["c"]]).getReader();
  assertEquals(await shown(reader), [1, 1, 1]);
  await kv.set(["c"], 2);
  const end = later();
  const states: unknown[] = [];
  for (;;) {
    const state = await Promise.race([shown(reader), end]);
    if (state === "later") break;
    states.push(state);
  }
  // What expires while the event loop is busy shows together.
  assertEquals(states.at(-1), [null, null, 2]);
  for (const [a, b, c] of states as unknown[][]) assert(c !== null && (a !== null || b === null), `${[a, b, c]}`);
  await kv[Symbol.asyncDispose]();
});

Deno.test("kv: a watch that waits does nothing, however far away the expiry is", async () => {
  const { kv, store } = await open();
  await kv.set(["a"], 1, { expireIn: 2 ** 31 + 5 });
  await kv.set(["b"], 1, { expireIn: 2 ** 51 });
  const reader = kv.watch([["a"], ["b"]]).getReader();
  assertEquals(await shown(reader), [1, 1]);
  await turns();
  let reads = 0;
  const { get } = store;
  store.get = (key) => (reads++, get.call(store, key));
  await new Promise((resolve) => setTimeout(resolve, 100));
  // It may look once, in a second.
  assert(reads <= 2, `${reads} reads`);
  await kv[Symbol.asyncDispose]();
});

Deno.test("kv: a watch that is over holds nothing, also one that nobody reads", async () => {
  const { kv, database } = await open();
  const held = () => [database.onWrite.size, database.onClose.size];
  const [one, two, three] = [kv.watch([["a"], ["b"]]), kv.watch([["a"], ["a"]]), kv.watch([["c"]])];
  assertEquals(held(), [3, 3]);
  await one.cancel();
  assertEquals(held(), [2, 2]);
  for await (const _ of two) break;
  assertEquals(held(), [1, 1]);
  await kv.watch([]).getReader().closed;
  assertEquals(held(), [1, 1]);
  // The third one shows what it has read once that is durable, and so does a get. The watch may be a few steps behind.
  await kv.get(["c"]);
  await turns();
  await kv[Symbol.asyncDispose]();
  assertEquals(held(), [0, 0]);
  assertEquals((await Array.fromAsync(three)).length, 1);
});

diskTest("kv: watches of all handles of a directory see the commits of each at once", async (directory) => {
  const [one, two] = [await openKv(directory), await openKv(directory)];
  const readers = [one, two].map((kv) => kv.watch([["a"]]).getReader());
  for (const reader of readers) assertEquals(await shown(reader), [null]);
  for (const [i, kv] of [one, two, one].entries()) {
    const { versionstamp } = await kv.set(["a"], i);
    const end = later();
    for (const reader of readers) {
      const result: unknown = await Promise.race([reader.read(), end]);
      assertEquals(result, { done: false, value: [{ key: ["a"], value: i, versionstamp }] });
    }
  }
  await one[Symbol.asyncDispose]();
  assertEquals(await shown(readers[0]!), undefined);
  await two.set(["a"], 3);
  assertEquals(await shown(readers[1]!), [3]);
  await two[Symbol.asyncDispose]();
  assertEquals(await shown(readers[1]!), undefined);
});

Deno.test("kv: a watch that waits keeps the process running, one with something ready does not", {
  ignore: !canStartProcesses,
}, async () => {
  const module = JSON.stringify(fileURLToPath(new URL("../../src/kv/mod.ts", import.meta.url)));
  const run = async (end: string) => {
    const code = `import { openKv } from ${module};
      const kv = await openKv(":memory:");
      const stream = kv.watch([["a"]]);
      const waiting = async () => {
        const reader = stream.getReader();
        await reader.read();
        reader.read().then(({ value }) => {
          console.log("shown", value?.[0].value);
          reader.cancel();
        });
        return reader;
      };
      ${end}`;
    const args = ["eval", "--no-check", "--ext=ts", code];
    const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
    assert(success);
    return new TextDecoder().decode(stdout);
  };
  const results = await Promise.all([
    run('console.log("made")'),
    run('await waiting(); Deno.unrefTimer(setTimeout(() => kv.set(["a"], 1), 100))'),
    run("const reader = await waiting(); await reader.cancel()"),
    run("await waiting(); kv.close()"),
  ]);
  assertEquals(results, ["made\n", "shown 1\n", "shown undefined\n", "shown undefined\n"]);
});
