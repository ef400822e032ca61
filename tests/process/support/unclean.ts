/** Sets a key in the store in a directory and ends as programs do that call `exit`: without closing the store. */

import process from "node:process";
import { KvStore } from "../../../mod.ts";

const [directory = "", key = ""] = process.argv.slice(2);
const store = await KvStore.open(directory);
await store.set(key, "v");
process.exit(0);
