/**
 * Works with a store that has many more segments than the process may have files open: first with what the store leaves
 * of them to spare, then with all descriptors taken by others, then with these given back. Prints what it met.
 */

import fs from "node:fs";
import process from "node:process";
import { KvStore, KvStoreError, repairStore, verifyStore } from "../../../mod.ts";

const [directory = "", copy = ""] = process.argv.slice(2);
const OPTIONS = { segmentBytes: 4096, cacheBytes: 0, compaction: { auto: false } };
const VALUE = "v".repeat(3000);
const SEGMENTS = 150;

/** What a call ended with. */
async function told(call: () => Promise<unknown> | unknown): Promise<string> {
  try {
    await call();
    return "ok";
  } catch (error) {
    if (!(error instanceof KvStoreError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

// Deno opens descriptors when it first listens for a signal, at a time of its own, and panics if there are none.
const ignore = () => {};
process.on("SIGUSR2", ignore);
process.off("SIGUSR2", ignore);

const others: number[] = [];

/** Takes all descriptors that are left. */
function takeAll(): void {
  try {
    for (;;) others.push(fs.openSync("/dev/null", "r"));
  } catch (error) {
    if ((error as { code?: string }).code !== "EMFILE") throw error;
  }
}

function assertAll(store: { get(key: string): unknown }, keys: string[]): void {
  for (const key of keys) if (store.get(key) !== VALUE) throw new Error(`${key} cannot be read`);
}

const keys: string[] = [];
let store = await KvStore.open(directory, OPTIONS);
const add = async () => {
  await store.set(`key ${keys.length}`, VALUE, { durability: "write" });
  keys.push(`key ${keys.length}`);
};
while (store.stats().segments < SEGMENTS) await add();
await store.close();

store = await KvStore.open(directory, OPTIONS);
assertAll(store, keys);
const snapshot = store.snapshot();
for (const key of keys.slice(0, 100)) await store.set(key, VALUE);
const met: Record<string, unknown> = {
  compact: await told(() => store.compact()),
  pinned: store.stats().pinnedSegments,
  verify: (await store.verify()).problems,
  verifyStore: (await verifyStore(directory)).problems,
  backup: await told(() => store.backup(copy)),
  locked: (await told(() => KvStore.open(directory))).slice(0, 7),
};
assertAll(store, keys);
assertAll(snapshot, keys);
snapshot.close();
met.copy = (await repairStore(copy)).problems;

// Others come and take what there is: the store gives up what it can do without, and goes on.
assertAll(store, keys);
takeAll();
met.rotation = await told(async () => {
  for (let i = 0; i < 5; i++) await add();
});
assertAll(store, keys);
// They come time and again: in the end it has nothing left to give.
const before = keys.length;
const calls = [
  ...Array(20).fill(add),
  () => assertAll(store, keys),
  () => store.backup(`${copy}-2`),
  () => verifyStore(directory),
  () => repairStore(copy),
  () => KvStore.open(copy),
  () => KvStore.open(copy, { readOnly: true }),
];
met.refused = [];
for (const call of calls) {
  takeAll();
  (met.refused as string[]).push(await told(call));
}
met.acknowledged = keys.length - before;
for (const descriptor of others.splice(0)) fs.closeSync(descriptor);
for (let i = 0; i < 5; i++) await add();
assertAll(store, keys);
met.compactAgain = await told(() => store.compact());
assertAll(store, keys);
met.close = await told(() => store.close());
store = await KvStore.open(directory, { ...OPTIONS, readOnly: true });
assertAll(store, keys);
met.sizes = [store.size, keys.length];
await store.close();
met.finally = (await verifyStore(directory)).problems;
console.log(JSON.stringify(met));
