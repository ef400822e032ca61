/** Adapters on one directory share its store. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { StoreShare } from "../../src/adapters/store_share.ts";
import { KvStore, KvStoreError, type OpenOptions } from "../../mod.ts";
import { diskTest } from "./support/test_on_disk.ts";

diskTest("shares: of one directory have one store, which is closed with the last", async (directory) => {
  const shares = Array.from({ length: 5 }, () => new StoreShare(directory, {}));
  const [store, ...others] = await Promise.all(shares.map((share) => share.store()));
  for (const other of others) assert(other === store);
  await store!.set("a", 1);
  for (const share of shares.slice(1)) {
    await share.release();
    await share.release();
    assertEquals(store!.get("a"), 1);
  }
  await shares[0]!.release();
  assertEquals(codeOf(() => store!.get("a")), "CLOSED");
  await (await KvStore.open(directory)).close();
});

diskTest("shares: the same directory by another path is the same", async (directory) => {
  const [one, two] = [new StoreShare(directory, {}), new StoreShare(`${directory}/x/../`, {})];
  assert(await one.store() === await two.store());
  await Promise.all([one.release(), two.release()]);
});

diskTest("shares: one that asks while the store closes waits for that, and opens it again", async (directory) => {
  const [one, two] = [new StoreShare(directory, {}), new StoreShare(directory, {})];
  const first = await one.store();
  await first.set("a", 1);
  const released = one.release();
  const second = await two.store();
  assert(second !== first);
  assertEquals(second.get("a"), 1);
  await released;
  // Given back once more before the first closing is over, and asked for again: each waits for the one before it.
  const closings = [two.release()];
  for (let i = 0; i < 3; i++) {
    const opened = one.store();
    closings.push(one.release());
    await Promise.race([opened, Promise.resolve()]);
  }
  await Promise.all(closings);
  const third = await one.store();
  assertEquals(third.get("a"), 1);
  await one.release();
});

diskTest("shares: one that was given back while the store was being opened", async (directory) => {
  const [one, two] = [new StoreShare(directory, {}), new StoreShare(directory, {})];
  const opening = one.store();
  const kept = two.store();
  await one.release();
  assert(await opening === await kept);
  await (await kept).set("a", 1);
  await two.release();
  await (await KvStore.open(directory)).close();
});

diskTest("shares: a store that cannot be opened is tried again with the next call", async (directory) => {
  const holder = await KvStore.open(directory);
  const shares = [new StoreShare(directory, {}), new StoreShare(directory, {})];
  for (let i = 0; i < 2; i++) {
    for (const share of shares) {
      const error = await assertRejects(() => share.store(), KvStoreError);
      assertEquals(error.code, "LOCKED");
    }
  }
  await holder.close();
  const [one, two] = await Promise.all(shares.map((share) => share.store()));
  assert(one === two);
  await Promise.all(shares.map((share) => share.release()));
});

const OPTIONS: OpenOptions[] = [
  { durability: "write" },
  { compaction: { auto: false } },
  { onError: () => {} },
  { segmentBytes: 8192, cacheBytes: 0 },
];

diskTest("shares: with other options than the store was opened with are refused", async (directory) => {
  for (const options of OPTIONS) {
    const first = new StoreShare(directory, options);
    await first.store();
    const same = new StoreShare(directory, { ...options });
    await same.store();
    for (const other of [{}, ...OPTIONS.filter((one) => one !== options)]) {
      await assertRejects(async () => await new StoreShare(directory, other).store(), TypeError, "other options");
    }
    await Promise.all([first.release(), same.release()]);
    // The refused ones hold nothing.
    await (await KvStore.open(directory)).close();
  }
});

diskTest("shares: a store that was given is not closed", async (directory) => {
  const store = await KvStore.open(directory);
  const share = new StoreShare(store, {});
  assert(await share.store() === store);
  await share.release();
  await store.set("a", 1);
  await store.close();
});

// In a program that is ES modules, a package that is CommonJS brings the package a second time. The second copy's
// adapter met the lock of the first one's, in its own process.
diskTest("shares: two copies of the package in one process have one store", async (directory) => {
  const copy = await Deno.makeTempDir({ prefix: "kvstore-copy-" });
  for (const name of ["mod.ts", "src"]) {
    await copyAll(fileURLToPath(new URL(`../../${name}`, import.meta.url)), join(copy, name));
  }
  const other = await import(
    pathToFileURL(join(copy, "src/adapters/store_share.ts")).href
  ) as typeof import("../../src/adapters/store_share.ts");
  assert(other.StoreShare !== StoreShare);
  const shares = [new StoreShare(directory, {}), new other.StoreShare(directory, {})];
  const [one, two] = await Promise.all(shares.map((share) => share.store()));
  assert(one === two && one instanceof KvStore);
  await one.set("a", 1);
  await shares[0]!.release();
  // Whoever comes while the other copy closes the store waits for that.
  const closing = shares[1]!.release();
  const again = new StoreShare(directory, {});
  assertEquals((await again.store()).get("a"), 1);
  await Promise.all([closing, again.release()]);
  await Deno.remove(copy, { recursive: true });
});

diskTest("shares: a version that knows another interface is told so, and shares nothing", async (directory) => {
  const share = new StoreShare(directory, {});
  const store = await share.store();
  const registry =
    (globalThis as unknown as Record<symbol, { open: Map<string, { interface: number; holders: number }> }>)[
      Symbol.for("@kvstore/kvstore/shared-stores")
    ]!;
  const entry = registry.open.get(directory)!;
  entry.interface++;
  const error = await assertRejects(() => new StoreShare(directory, {}).store(), KvStoreError, "another version");
  assertEquals([error.code, entry.holders], ["LOCKED", 1]);
  entry.interface--;
  await store.set("a", 1);
  await share.release();
});

diskTest(
  "shares: calls that wait for the opening come in their order, before those that come when it is open",
  async (directory) => {
    const share = new StoreShare(directory, {});
    const order: number[] = [];
    const calls = [1, 2].map((n) => share.run(() => order.push(n)));
    await calls[0]!.then(() => share.run(() => order.push(3)));
    await Promise.all(calls);
    assertEquals(order, [1, 2, 3]);
    await share.release();
  },
);

async function copyAll(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copyAll(join(from, name), join(to, name));
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as KvStoreError).code;
  }
}
