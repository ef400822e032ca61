/**
 * Holds the store in a directory: opens it and says "ok"; then sets the key that each line of its input names and says
 * "ok" or the code of the error. The line `close` closes the store, as does the end of the input; `compact` compacts it.
 * With a second argument it takes the lock without asking for it.
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { KvStore, KvStoreError } from "../../../mod.ts";

/** Long enough that a few need a new segment. */
const VALUE = "v".repeat(500);

/** "ok", or the code of the error that it rejected with. */
async function told(call: Promise<unknown>): Promise<void> {
  try {
    await call;
    console.log("ok");
  } catch (error) {
    if (!(error instanceof KvStoreError)) throw error;
    console.log(error.code);
  }
}

const [directory = "", unasked] = process.argv.slice(2);
const store = await KvStore.open(directory, { segmentBytes: 4096, lock: unasked === undefined });
console.log("ok");
for await (const line of createInterface(process.stdin)) {
  if (line === "close") await told(store.close());
  else await told(line === "compact" ? store.compact() : store.set(line, VALUE));
}
await store.close().catch(() => {});
