/**
 * Does all that a store does, in the directory it is given: run by Deno with permission to read and write that
 * directory and nothing else. `read DIR` opens it read-only.
 *
 * @module
 */

import process from "node:process";
import { KvStore, KvStoreError, repairStore, verifyStore } from "../../../mod.ts";

async function writeAndRead(directory: string): Promise<void> {
  const store = await KvStore.open(directory, { segmentBytes: 4096 });
  for (let i = 0; i < 100; i++) await store.set(`key ${i % 10}`, "v".repeat(200), { durability: "write" });
  await store.set("last", { a: 1 });
  await store.compact();
  await store.backup(`${directory}/backup`);
  const second = await KvStore.open(directory).catch((error) => error);
  if (!(second instanceof KvStoreError) || second.code !== "LOCKED") throw new Error(`opened twice: ${second}`);
  await store.verify();
  const snapshot = store.snapshot();
  await store.clear();
  if (snapshot.size !== 11 || store.size !== 0) throw new Error(`${snapshot.size} and ${store.size} keys`);
  snapshot.close();
  await store.set("after", 1);
  await store.close();
  await repairStore(directory, { dryRun: true });
  console.log((await verifyStore(directory)).problems.length, "problems");
}

async function read(directory: string): Promise<void> {
  const store = await KvStore.open(directory, { readOnly: true });
  await store.refresh();
  console.log(store.size, store.get("after"));
  await store.close();
}

async function main([what, directory = ""]: string[]): Promise<void> {
  try {
    await (what === "read" ? read(directory) : writeAndRead(directory));
  } catch (error) {
    console.log(error instanceof KvStoreError ? `${error.code}: ${error.message}` : String(error));
    process.exitCode = 3;
  }
}

main(process.argv.slice(2));
