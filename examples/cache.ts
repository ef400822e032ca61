/**
 * A cache with expiry: what is dear to make is kept for a while, over restarts, too, and goes away by itself.
 *
 * Run it twice within a minute: `deno run --allow-read --allow-write cache.ts`
 */
import { KvStore } from "@kvstore/kvstore";

// A cache may lose its last second in a power cut, so nobody has to wait for the disk.
await using store = await KvStore.open("./cache", { durability: "write" });
/** What is being made right now: who asks for the same meanwhile shares it. */
const underWay = new Map<string, Promise<string>>();

/** The value of a key from the cache, else made anew and kept for `ttlMs`. */
async function cached(key: string, ttlMs: number, make: () => Promise<string>): Promise<string> {
  const kept = store.get(key) as string | undefined;
  if (kept !== undefined) return kept;
  const shared = underWay.get(key);
  if (shared !== undefined) return await shared;
  // What fails is not kept: the next one to ask tries again.
  const making = make().finally(() => underWay.delete(key));
  underWay.set(key, making);
  const value = await making;
  await store.set(key, value, { ttl: ttlMs });
  return value;
}

let made = 0;
function report(city: string): Promise<string> {
  made++;
  return Promise.resolve(`the weather in ${city}, at length`);
}

const reports = await Promise.all(["Oslo", "Rome", "Oslo"].map((city) => cached(city, 60_000, () => report(city))));
console.log(`${reports.length} reports, ${made} of them made now, ${store.size} kept`);
console.log(`Oslo is kept for a minute at most: ${store.expiresAt("Oslo")! - Date.now() <= 60_000}`);

await store.set("soon gone", "!", { ttl: 2000 });
console.log("at once:", store.get("soon gone"));
while (store.has("soon gone")) await new Promise((resolve) => setTimeout(resolve, 50));
console.log("a moment later:", store.get("soon gone"), `(${store.size} kept)`);
