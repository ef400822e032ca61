/** What the types accept and refuse: the checker reads this, and what it says nothing about also runs. */

import { assertEquals } from "@std/assert";
import { type Change, type Key, KvStore, type OpenOptions, type Range, type Value } from "../mod.ts";
import { MemoryPlatform } from "./support/memory_platform.ts";

interface User {
  name: string;
  tags?: string[];
}

/** Never called: each line is for the type checker. */
function _refused(): void {
  // @ts-expect-error a date becomes a string in JSON
  type _Dates = KvStore<Date>;
  // @ts-expect-error a map becomes {} in JSON
  type _Maps = KvStore<Map<string, number>>;
  // @ts-expect-error of the typed arrays only Uint8Array is a value
  type _Numbers = KvStore<Float64Array>;
  // @ts-expect-error a function has no JSON form
  type _Functions = KvStore<() => void>;
  // @ts-expect-error neither has undefined
  type _Undefined = KvStore<string | undefined>;
  type _Accepted = [
    KvStore<User>,
    KvStore<User[]>,
    KvStore<Record<string, unknown>>,
    KvStore<User | Uint8Array | null>,
  ];
}

/** Never called, either. */
async function _keysFollow(strings: KvStore<User, string>, any: KvStore<User>): Promise<void> {
  for (const [key, { name }] of strings) key.toUpperCase() + name.toUpperCase();
  for (const key of strings.keys({ prefix: "user:" })) key.toUpperCase();
  for (const [key] of strings.snapshot().entries()) key.toUpperCase();
  for await (const change of strings.watch()) if (change.type === "set") change.key.toUpperCase();
  for (const key of any.keys({ keys: "bytes" })) key.subarray(1);
  for (const [key] of strings.entries({ keys: "bytes", limit: 1 })) key.subarray(1);
  // @ts-expect-error a store of string keys takes no bytes
  strings.get(new Uint8Array(1));
  // @ts-expect-error the keys of any store may be bytes
  for (const key of any.keys()) key.toUpperCase();
  const range: Range = { keys: "bytes" };
  const _unknown: Key[] = [...any.keys(range)];
  const changes: Change<User>[] = [];
  for await (const change of any.watch()) changes.push(change);
}

class Users extends KvStore<User, string> {
  named(name: string): string[] {
    return [...this.entries()].filter(([, user]) => user.name === name).map(([key]) => key);
  }
}

/** Never called: what `open` resolves to. */
async function _opened(directory: string): Promise<void> {
  const _plain: KvStore<Value> = await KvStore.open(directory);
  const _typed: KvStore<User, string> = await KvStore.open<User, string>(new URL(directory));
  const users: Users = await Users.open(directory);
  users.named("Ada");
  // @ts-expect-error stores are made by open
  new KvStore();
}

Deno.test("an option that is undefined counts as absent, for the checker and when it runs", async () => {
  const nothing: OpenOptions = {
    create: undefined,
    readOnly: undefined,
    durability: undefined,
    segmentBytes: undefined,
    cacheBytes: undefined,
    compaction: { auto: undefined, staleRatio: undefined, minStaleBytes: undefined },
    recovery: undefined,
    onError: undefined,
  };
  const store = await KvStore.openOn<number>(new MemoryPlatform(), "/s", nothing);
  await store.set("a", 1, { durability: undefined, ttl: undefined, expiresAt: undefined });
  await store.batch([{ type: "set", key: "b", value: 2, ttl: undefined }], { durability: undefined });
  const all = { prefix: undefined, gt: undefined, gte: undefined, lt: undefined, lte: undefined };
  assertEquals([...store.keys({ ...all, reverse: undefined, limit: undefined, keys: undefined })], ["a", "b"]);
  assertEquals((await store.history("a", { limit: undefined, signal: undefined })).length, 1);
  await store.watch({ prefix: undefined, since: undefined, signal: undefined }).return();
  await store.compact({ onProgress: undefined, signal: undefined });
  await store.close();
});
