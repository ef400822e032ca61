/**
 * Writes to the store in a directory, which needs ever more segments, until the limit on open files refuses. Prints
 * how many keys were acknowledged and what the refusal and the close said.
 */

import { KvStore, KvStoreError } from "../../mod.ts";

const [directory = ""] = Deno.args;
const store = await KvStore.open(directory, { segmentBytes: 4096, compaction: { auto: false } });
let acknowledged = 0;

/** Sets one more key; returns the error that this ended with. */
async function setNext(): Promise<KvStoreError | undefined> {
  try {
    await store.set(`key ${acknowledged}`, "v".repeat(3000), { durability: "write" });
    acknowledged++;
  } catch (error) {
    if (error instanceof KvStoreError) return error;
    throw error;
  }
}

let refused: KvStoreError | undefined;
while (refused === undefined) refused = await setNext();
// Tried again, refused again: nothing is left half done.
const again = await setNext();
for (let i = 0; i < acknowledged; i++) {
  if (store.get(`key ${i}`) !== "v".repeat(3000)) throw new Error(`key ${i} cannot be read`);
}
if (store.size !== acknowledged) throw new Error(`${store.size} keys for ${acknowledged} acknowledged`);
const closed = await store.close().then(() => undefined, (error: KvStoreError) => error);
const told = [refused, again, closed].map((error) => error && { code: error.code, message: error.message });
console.log(JSON.stringify({ acknowledged, told }));
