/**
 * Has the descriptors of its store's segments closed behind its back, as a library that closes numbers that are not its
 * own does, and goes on. Prints what was acknowledged before and after, and which errors there were.
 */

import fs from "node:fs";
import process from "node:process";
import { KvStore, KvStoreError } from "../../../mod.ts";

const directory = process.argv[2] ?? "";
const store = await KvStore.open(directory, { segmentBytes: 4096, compaction: { auto: false } });
const acknowledged: string[] = [];
const codes: string[] = [];

/** Does something; notes the code of its error. */
async function attempt(action: () => unknown): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    codes.push(error instanceof KvStoreError ? error.code : String(error));
    return false;
  }
}

for (let i = 0; i < 20; i++) {
  const key = `before ${i}`;
  await store.set(key, "v".repeat(900));
  acknowledged.push(key);
}
for (const name of fs.readdirSync("/proc/self/fd")) {
  let target = "";
  try {
    target = fs.readlinkSync(`/proc/self/fd/${name}`);
  } catch {
    // The descriptor of the listing itself.
  }
  if (target.endsWith(".seg")) fs.closeSync(Number(name));
}
await attempt(() => store.get("before 0"));
for (let i = 0; i < 20; i++) {
  const key = `after ${i}`;
  if (await attempt(() => store.set(key, "v".repeat(900)))) acknowledged.push(key);
}
await attempt(() => store.close());
console.log(JSON.stringify({ acknowledged, codes: [...new Set(codes)] }));
process.exit(0);
