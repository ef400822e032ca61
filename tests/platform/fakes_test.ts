/**
 * Test runners replace what tells and passes the time by fakes that stand still (`useFakeTimers` of Jest, Vitest and
 * sinon). What the store does by itself must go on, and only what keys expire by follows the fakes.
 *
 * Symptom: under Jest's `useFakeTimers()` no `set` ever settled, and a faked `Date.now` moved no expiry. Cause: the one
 * was looked up on the global object at each call (`queueMicrotask`), the other was kept when the package was imported.
 */
import { assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import { canUseDisk } from "../support/permissions.ts";

/** Waits for real time, whatever is fake. */
const { setTimeout: realTimeout } = globalThis;

function standStill(): never {
  throw new Error("a fake was called");
}

/** Replaces what fakes replace, for as long as `work` takes. `Date.now` tells what `clock` says. */
async function withFakes(clock: { nowMs: number }, work: () => Promise<void>): Promise<void> {
  const names = [
    "queueMicrotask",
    "setTimeout",
    "setInterval",
    "setImmediate",
    "clearTimeout",
    "clearInterval",
  ] as const;
  const target = globalThis as unknown as Record<string, unknown>;
  const former = names.map((name) => target[name]);
  const { now } = Date;
  const performanceNow = performance.now;
  for (const name of names) target[name] = standStill;
  Date.now = () => clock.nowMs;
  performance.now = () => 0;
  try {
    await work();
  } finally {
    names.forEach((name, i) => target[name] = former[i]);
    Date.now = now;
    performance.now = performanceNow;
  }
}

Deno.test("fake timers: every call settles, and the store syncs by itself", { ignore: !canUseDisk }, async () => {
  const directory = Deno.makeTempDirSync();
  await withFakes({ nowMs: 0 }, async () => {
    const store = await KvStore.open(directory, { segmentBytes: 1 << 20 });
    for (let i = 0; i < 3000; i++) await store.set(`k${i % 10}`, "v".repeat(1000), { durability: "write" });
    await store.batch([{ type: "delete", key: "k1" }]);
    const watch = store.watch({ since: 0 });
    await watch.next();
    await watch.return();
    await store.compact();
    assertEquals((await store.verify()).problems, []);
    await store.backup(`${directory}/copy`);
    await store.set("idle", 1, { durability: "write" });
    await new Promise((resolve) => realTimeout(resolve, 1300));
    assertEquals(store.stats().unsyncedBytes, 0);
    await store.close();
  });
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("fake timers: keys expire by the Date.now of the moment", { ignore: !canUseDisk }, async () => {
  const directory = Deno.makeTempDirSync();
  const clock = { nowMs: 1_000_000 };
  await withFakes(clock, async () => {
    await using store = await KvStore.open(directory);
    await store.set("session", "Ada", { ttl: 60_000 });
    clock.nowMs += 59_999;
    assertEquals(store.get("session"), "Ada");
    clock.nowMs += 1;
    assertEquals(store.get("session"), undefined);
  });
  Deno.removeSync(directory, { recursive: true });
});
