/**
 * A store is a directory: what one run of a program sets, the next one finds.
 *
 * Run it twice: `deno run --allow-read --allow-write quick_start.ts`
 */
import { KvStore } from "@kvstore/kvstore";

await using store = await KvStore.open("./quick-start");

// Reading is synchronous; a key that is not there gives undefined.
const runs = (store.get("runs") as number | undefined) ?? 0;

// Writing resolves once it would survive a power cut.
await store.set("runs", runs + 1);
console.log(`run ${runs + 1}`);

// Values are strings, bytes, or whatever JSON can hold. Here a batch: all of it is stored, or nothing.
await store.batch([
  { type: "set", key: "user:grace", value: { name: "Grace", born: 1906 } },
  { type: "set", key: "user:ada", value: { name: "Ada", born: 1815 } },
  { type: "set", key: `seen:${runs + 1}`, value: "yes" },
]);

// Keys come sorted, so that those with a common beginning stand together.
for (const [key, user] of store.entries({ prefix: "user:" })) console.log(key, JSON.stringify(user));
console.log(`${store.size} keys, of which ${[...store.keys({ prefix: "seen:" })].length} count the runs`);

console.log("deleted:", await store.delete("user:grace"), "and again:", await store.delete("user:grace"));
