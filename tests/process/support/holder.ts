/**
 * Holds the store in a directory: opens it and says "ok"; then sets the key that each line of its input names and says
 * "ok" or the code of the error. The line `close` closes the store, as does the end of the input.
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

const store = await KvStore.open(process.argv[2]!, { segmentBytes: 4096 });
console.log("ok");
for await (const line of createInterface(process.stdin)) {
  await told(line === "close" ? store.close() : store.set(line, VALUE));
}
await store.close().catch(() => {});
