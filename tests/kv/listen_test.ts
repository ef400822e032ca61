/**
 * The queue of stores as programs open them.
 *
 * @module
 */
import { assert, assertRejects, assertStrictEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { openKv } from "../../src/kv/mod.ts";
import { queueOf } from "../../src/kv/queue.ts";
import { canUseDisk } from "../support/permissions.ts";

Deno.test("kv: all copies of the package in a process have the same queue", { ignore: !canUseDisk }, async () => {
  const copy = await import("../../src/kv/queue.ts?copy" as "../../src/kv/queue.ts");
  await using store = await KvStore.open<Uint8Array>(":memory:");
  assert(copy.queueOf !== queueOf);
  assertStrictEquals(copy.queueOf(store), queueOf(store));
});

Deno.test("kv: what a message sets in the end must fit into one batch of the store", async () => {
  using kv = await openKv(":memory:", { limits: "store" });
  const refused = (value: unknown, keysIfUndelivered: string[][], error: string) =>
    assertRejects(() => kv.enqueue(value, { keysIfUndelivered }), TypeError, error);
  await refused("a", [["k".repeat(65_534)]], "Key too large for write (max 65535 bytes)");
  const large = "v".repeat(2 ** 25 - 40_000);
  await refused(large, [["a"], ["b"], ["c"]], "Total mutation size too large (max 67108864 bytes)");
  const listener = kv.listenQueue(() => Promise.reject(new Error("injected")));
  const { error } = console;
  console.error = () => {};
  try {
    const keysIfUndelivered = [["k".repeat(65_533)], ["b"]];
    await kv.enqueue(large, { backoffSchedule: [], keysIfUndelivered });
    for (const key of keysIfUndelivered) {
      while ((await kv.get(key)).value === null) await new Promise((go) => setTimeout(go, 5));
    }
  } finally {
    console.error = error;
  }
  kv.close();
  await listener;
});

Deno.test("kv: handlers that enqueue again and again leave the event loop its turns", async () => {
  using kv = await openKv(":memory:");
  let isOver = false;
  setTimeout(() => isOver = true, 1);
  const begun = Date.now();
  await new Promise<void>((resolve) => {
    void kv.listenQueue((i: number) => {
      if (isOver || Date.now() - begun > 5000) resolve();
      else void kv.enqueue(i + 1);
    });
    void kv.enqueue(0);
  });
  assert(isOver);
});
