/** What the suite of keyv does not look at, under keyv 5 and 6. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Keyv as Keyv5, type KeyvStoreAdapter as Adapter5 } from "keyv";
import { Keyv as Keyv6 } from "keyv6";
import { KvKeyv } from "../../src/adapters/keyv.ts";
import { KvStore, KvStoreError } from "../../mod.ts";
import { assertTurns } from "../support/turns.ts";
import { diskTest, timersDuring } from "./support/test_on_disk.ts";

/** What the tests use of both. */
interface AnyKeyv {
  get(key: string): Promise<unknown>;
  get(keys: string[]): Promise<unknown[]>;
  set(key: string, value: unknown, ttl?: number): Promise<boolean>;
  setMany(entries: { key: string; value: unknown; ttl?: number }[]): Promise<boolean[]>;
  delete(key: string): Promise<boolean>;
  has(key: string): Promise<boolean>;
  hasMany(keys: string[]): Promise<boolean[]>;
  clear(): Promise<void>;
  disconnect(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
  iterator?: (argument?: unknown) => AsyncGenerator<[string, unknown]>;
}

type Options = { namespace?: string | undefined; ttl?: number; useKeyPrefix?: boolean; throwOnErrors?: boolean };

/** Both versions, with the keys that the store has for the key `k` in the namespace `n`. */
const VERSIONS: [version: number, make: (store: KvKeyv, options?: Options) => AnyKeyv, stored: string][] = [
  [5, (store, options = {}) => new Keyv5({ store, ...options as object }) as unknown as AnyKeyv, "n:k"],
  [6, (store, options = {}) => new Keyv6({ store, ...options as object }) as unknown as AnyKeyv, "n::k"],
];

/** The interface of keyv 5 is what the class has; the compiler checks that here. */
const _fits: (adapter: KvKeyv) => Adapter5 = (adapter) => adapter;

for (const [version, make, stored] of VERSIONS) {
  diskTest(`keyv ${version}: namespaces of one directory keep apart, with an adapter each`, async (directory) => {
    const names = ["n", "m", "nm"];
    const [n, m, nm] = names.map((namespace) => make(new KvKeyv(directory), { namespace })) as [
      AnyKeyv,
      AnyKeyv,
      AnyKeyv,
    ];
    for (const [i, keyv] of [n, m, nm].entries()) {
      await keyv.set("k", i);
      await keyv.setMany([{ key: "a", value: [i] }, { key: "b:c", value: { i } }]);
    }
    for (const [i, keyv] of [n, m, nm].entries()) {
      assertEquals(await keyv.get(["k", "a", "b:c", "d"]), [i, [i], { i }, undefined]);
      assertEquals(await keyv.hasMany(["k", "d"]), [true, false]);
      assertEquals(await entriesOf(keyv), [["a", [i]], ["b:c", { i }], ["k", i]]);
    }
    assertEquals(await n.delete("k"), true);
    assertEquals([await n.has("k"), await m.has("k"), await nm.has("k")], [false, true, true]);
    await m.clear();
    assertEquals(await entriesOf(m), []);
    assertEquals([(await entriesOf(n)).length, (await entriesOf(nm)).length], [2, 3]);
    await Promise.all([n, m, nm].map((keyv) => keyv.disconnect()));
  });

  diskTest(
    `keyv ${version}: what is set is there after disconnecting, for the same and for a new one`,
    async (directory) => {
      const keyv = make(new KvKeyv(directory), { namespace: "n" });
      await keyv.set("k", { deep: [1, "two", null] });
      await keyv.disconnect();
      const store = await KvStore.open(directory);
      assertEquals([...store.keys()], [stored]);
      await store.close();
      assertEquals(await keyv.get("k"), { deep: [1, "two", null] });
      await keyv.disconnect();
      const again = make(new KvKeyv(directory), { namespace: "n" });
      assertEquals(await again.get("k"), { deep: [1, "two", null] });
      await again.disconnect();
    },
  );

  diskTest(
    `keyv ${version}: times to live are the store's: what has expired is gone from it, too`,
    async (directory) => {
      const adapter = new KvKeyv(directory);
      const keyv = make(adapter, { namespace: "n", ttl: 3_600_000 });
      const start = Date.now();
      await keyv.set("k", 1);
      await keyv.set("own", 2, 60_000);
      await keyv.setMany([{ key: "many", value: 3, ttl: 60_000 }, { key: "short", value: 4, ttl: 20 }]);
      const store = await KvStore.open(directory, { readOnly: true });
      const timeOf = (key: string) => (store.expiresAt(stored.replace(/k$/, key)) ?? 0) - start;
      assert(timeOf("k") >= 3_600_000 && timeOf("k") < 3_700_000, String(timeOf("k")));
      for (const key of ["own", "many"]) assert(timeOf(key) >= 60_000 && timeOf(key) < 160_000, String(timeOf(key)));
      while (store.has(stored.replace(/k$/, "short"))) await new Promise((resolve) => setTimeout(resolve, 5));
      assertEquals(await keyv.has("short"), false);
      assertEquals((await entriesOf(keyv)).map(([key]) => key), ["k", "many", "own"]);
      await keyv.set("own", 5, 0);
      assertEquals(await keyv.get("own"), 5);
      await store.close();
      await keyv.disconnect();
    },
  );

  // It emptied all namespaces of the directory: `clear` of a cache ended the sessions beside it.
  diskTest(
    `keyv ${version}: without a namespace, clear deletes what is in none, and nothing else`,
    async (directory) => {
      const adapter = new KvKeyv(directory);
      const named = make(new KvKeyv(directory), { namespace: "n" });
      await named.set("k", "of n");
      for (const namespace of [undefined, ""]) {
        const keyv = make(adapter, { namespace });
        await keyv.setMany([{ key: "a", value: 1 }, { key: "n", value: 2 }]);
        assertEquals([await adapter.has("a"), await keyv.get("n")], [true, 2]);
        await keyv.clear();
        assertEquals(await keyv.hasMany(["a", "n"]), [false, false]);
      }
      await named.disconnect();
      await adapter.disconnect();
      // Also if nobody has used the namespace since the store was opened.
      const keyv = make(adapter, { namespace: undefined });
      await keyv.clear();
      assertEquals(await adapter.has(stored), true);
      await adapter.disconnect();
    },
  );

  diskTest(
    `keyv ${version}: an error of the store reaches the listeners, and LOCKED does so with every call`,
    async (directory) => {
      const holder = await KvStore.open(directory);
      const keyv = make(new KvKeyv(directory), { namespace: "n" });
      const codes: unknown[] = [];
      keyv.on("error", (error) => codes.push((error as KvStoreError).code));
      const calls = [() => keyv.get("k"), () => keyv.set("k", 1), () => keyv.delete("k"), () => keyv.clear()];
      for (const call of calls) {
        codes.length = 0;
        await call();
        assert(codes.length > 0 && codes.every((code) => code === "LOCKED"), `${call}: ${codes}`);
      }
      await holder.close();
      assertEquals(await keyv.set("k", 1), true);
      assertEquals(await keyv.get("k"), 1);
      await keyv.disconnect();
    },
  );
}

diskTest("keyv 6: namespaces that share an adapter keep apart", async (directory) => {
  const adapter = new KvKeyv(directory);
  const [n, m] = ["n", "m"].map((namespace) => new Keyv6({ store: adapter, namespace })) as [Keyv6, Keyv6];
  await n.set("k", "of n");
  await m.set("k", "of m");
  assertEquals([await n.get("k"), await m.get("k")], ["of n", "of m"]);
  await n.clear();
  assertEquals([await n.get("k"), await m.get("k")], [undefined, "of m"]);
  await adapter.disconnect();
});

// keyv 5 tells an adapter a namespace once, and of no call which Keyv it is from. With one adapter under two of them,
// the first one's `clear()` emptied the second one's namespace, and kept its own.
diskTest(
  "keyv 5: an adapter that serves several namespaces clears none of them",
  async (directory) => {
    const adapter = new KvKeyv(directory);
    const errors: Error[] = [];
    const make = (namespace: string) => {
      const keyv = new Keyv5({ store: adapter, namespace });
      keyv.on("error", (error) => errors.push(error));
      return keyv;
    };
    const n = make("n");
    const same = make("n");
    // A listener of the caller's own, and a Keyv that takes another name, are no second Keyv.
    adapter.on("error", (error) => errors.push(error as Error));
    await n.set("k", 1);
    await same.set("l", 2);
    assertEquals(await same.get("k"), 1);
    n.namespace = "renamed";
    await n.set("k", 3);
    await n.clear();
    assertEquals([await n.get("k"), await same.get("k"), errors], [undefined, 1, []]);

    const m = make("m");
    await m.set("k", "of m");
    for (const keyv of [same, m]) {
      errors.length = 0;
      await keyv.clear();
      assert(
        errors.length > 0 && errors.every(({ message }) => message.includes("make a KvKeyv for each")),
        errors.join(),
      );
    }
    assertEquals([await same.get("k"), await m.get("k")], [1, "of m"]);
    await assertRejects(() => new Keyv5({ store: adapter, namespace: "n", throwOnErrors: true }).clear(), TypeError);
    await adapter.disconnect();

    // Also where the second one comes later, by another way.
    const second = new KvKeyv(directory);
    new Keyv5({ store: second, namespace: "n" });
    new Keyv5({ namespace: "m" }).store = second;
    await assertRejects(() => second.clear(), TypeError, "make a KvKeyv for each");
    await second.disconnect();
  },
);

diskTest("keyv 5: with throwOnErrors, a call that fails rejects", async (directory) => {
  const holder = await KvStore.open(directory);
  const keyv = new Keyv5({ store: new KvKeyv(directory), throwOnErrors: true });
  for (const call of [() => keyv.get("k"), () => keyv.set("k", 1), () => keyv.getMany(["k"]), () => keyv.has("k")]) {
    const error = await assertRejects(call, KvStoreError);
    assertEquals(error.code, "LOCKED");
  }
  await holder.close();
});

diskTest("keyv: the adapter by itself, on a store that its owner has opened", async (directory) => {
  const store = await KvStore.open(directory);
  const adapter = new KvKeyv(store);
  assertEquals("namespace" in adapter, false);
  assertEquals(await adapter.set("a", "1"), true);
  assertEquals(await adapter.setMany([{ key: "b", value: "2" }, { key: "c", value: "3", ttl: Infinity }]), [
    true,
    true,
  ]);
  await store.set(new Uint8Array([0xff]), "not of keyv");
  assertEquals(await adapter.getMany(["a", "b", "x"]), ["1", "2", undefined]);
  const seen: string[] = [];
  for await (const [key] of adapter.iterator()) seen.push(key);
  assertEquals(seen, ["a", "b", "c"]);
  assertEquals([await adapter.deleteMany(["a", "x"]), await adapter.deleteMany(["a", "x"])], [true, false]);
  assertEquals([await adapter.delete("b"), await adapter.delete("b")], [true, false]);
  await assertRejects(() => adapter.set("k", undefined), TypeError);
  await adapter.setMany([{ key: "n::k", value: "of a namespace" }, { key: "user:1", value: "of none" }]);
  await adapter.clear();
  assertEquals([...store.keys()], ["n::k", new Uint8Array([0xff])]);
  await adapter.disconnect();
  await store.close();
  await assertRejects(() => adapter.get("n::k"), KvStoreError, "closed");
});

// Until the store is open calls wait, and took what their arguments had become by then.
diskTest("keyv: what was handed over while the store opens is the caller's to change", async (directory) => {
  const adapter = new KvKeyv(directory);
  const bytes = new Uint8Array([1]);
  const object = { n: 1 };
  const entries = [{ key: "c", value: bytes }, { key: "d", value: object }];
  const done = [adapter.set("a", bytes), adapter.set("b", object), adapter.setMany(entries)];
  const keys = ["a", "b"];
  const found = adapter.getMany(keys);
  bytes[0] = 2;
  object.n = 2;
  entries.length = keys.length = 0;
  await Promise.all(done);
  assertEquals(await found, [new Uint8Array([1]), { n: 1 }]);
  assertEquals(await adapter.getMany(["c", "d"]), [new Uint8Array([1]), { n: 1 }]);
  await assertRejects(() => new KvKeyv(directory).set("e", new Date()), TypeError);
  await adapter.disconnect();
  await adapter.disconnect();
});

for (const [version, make] of VERSIONS) {
  diskTest(`keyv ${version}: no loop of awaited reads keeps timers from firing`, async (directory) => {
    const adapter = new KvKeyv(directory, { durability: "write" });
    const keyv = make(adapter, { namespace: "n" });
    await keyv.setMany(Array.from({ length: 20_000 }, (_, i) => ({ key: `key ${i}`, value: i })));
    await assertTurns(() => keyv.get("key 1"));
    const fired = await timersDuring(() => entriesOf(keyv));
    assert(fired >= 2, `a timer fired ${fired} times`);
    await keyv.disconnect();
  });
}

async function entriesOf(keyv: AnyKeyv): Promise<[string, unknown][]> {
  const entries: [string, unknown][] = [];
  for await (const entry of keyv.iterator!({})) entries.push(entry);
  return entries;
}

Deno.test("keyv: what is neither a path nor a store is refused", () => {
  for (const store of [undefined, null, "", 7]) assertThrows(() => new KvKeyv(store as string), TypeError, "path");
});
