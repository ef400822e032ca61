/** Follows a read-only store to its first change, and prints that. Nothing else keeps the process running. */

import process from "node:process";
import { KvStore } from "../../../mod.ts";

const store = await KvStore.open(process.argv[2] ?? "", { readOnly: true });

async function follow(): Promise<void> {
  for await (const change of store.watch()) {
    console.log(change.type);
    break;
  }
  await store.close();
}

// Not awaited: a module that waits for ever keeps some runtimes running, whatever the store does.
void follow();
