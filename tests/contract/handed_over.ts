/** What callers hand over, and what they get: nothing stays theirs to change, and nothing shows the store's insides. */

import { assert, assertEquals } from "@std/assert";
import {
  type BatchOperation,
  destroyStore,
  KvStore,
  KvStoreError,
  type Progress,
  repairStore,
  verifyStore,
  type WorkOptions,
} from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { assertThrowsCode, fill, MANUAL } from "./support/helpers.ts";

export const handedOverCases: Case[] = [
  {
    name: "handed over: a batch takes the key, value and object that its generator uses again for the next one",
    async run(context) {
      // A generator that fills one buffer again and again stored the last key alone, and its last value under it: the
      // operations were kept as they came and encoded once all were there.
      const store = await context.open();
      const key = new Uint8Array(1);
      const value = new Uint8Array(2);
      const json = { n: 0 };
      const operation = { type: "set", key, value } as BatchOperation & { value: unknown };
      await store.batch(function* () {
        for (key[0] = 97; key[0] < 100; key[0]++) {
          value.fill(key[0]);
          yield operation;
          json.n = key[0];
          yield { type: "set", key: `json ${json.n}`, value: json };
        }
      }());
      const found = [97, 98, 99].map((n) => [store.get(Uint8Array.of(n)), store.get(`json ${n}`)]);
      assertEquals(found, [97, 98, 99].map((n) => [Uint8Array.of(n, n), { n }]));
      await store.batch(function* () {
        for (key[0] = 97; key[0] < 99; key[0]++) yield { type: "delete", key };
      }());
      assertEquals([...store.keys()], [Uint8Array.of(99), "json 97", "json 98", "json 99"]);
    },
  },
  {
    name: "handed over: getMany takes the key that its generator uses again",
    async run(context) {
      const store = await context.open();
      await store.batch(["a", "b", "c"].map((key) => ({ type: "set", key, value: key })));
      const key = new Uint8Array(1);
      const keys = function* () {
        for (key[0] = 97; key[0] < 100; key[0]++) yield key;
      };
      assertEquals(store.getMany(keys()), ["a", "b", "c"]);
      using snapshot = store.snapshot();
      assertEquals(snapshot.getMany(keys()), ["a", "b", "c"]);
    },
  },
  {
    name: "handed over: keys, bounds, prefixes and options may be changed once the call has returned",
    async run(context) {
      const store = await context.open(MANUAL);
      await store.batch(["a", "b", "c"].map((key) => ({ type: "set", key, value: key })));
      const key = Uint8Array.of(98);
      const range = { gte: key };
      const [keys, watch, history] = [store.keys(range), store.watch({ prefix: key }), store.history(key)];
      const restored = store.restore(key, 2);
      key[0] = 99;
      range.gte = Uint8Array.of(120);
      assertEquals([...keys], ["b", "c"]);
      assertEquals((await history).map(({ seq }) => seq), [2]);
      await restored;
      const { value } = await watch.next();
      assert(value?.type === "set" && value.key instanceof Uint8Array && value.key[0] === 98);
      await watch.return();
      await fill(store, 100);
      const heard: Progress[] = [];
      const options: WorkOptions = { onProgress: (progress) => heard.push(progress) };
      const done = store.compact(options);
      options.onProgress = () => heard.splice(0, Infinity);
      options.signal = AbortSignal.abort();
      await done;
      assert(heard.length > 0);
    },
  },
  {
    name:
      "inspection: JSON of a store is its directory, keys and bytes, open and closed; of what it hands out, nothing",
    async run(context) {
      // JSON.stringify(store), which a logger does with whatever it is given, printed the cache: half a megabyte.
      const store = await context.open();
      await store.set("a", "x".repeat(1000));
      const { diskBytes } = store.stats();
      const snapshot = store.snapshot();
      const expected = { directory: context.directory, keys: 1 };
      assertEquals(JSON.parse(JSON.stringify({ store, snapshot })), {
        store: { ...expected, diskBytes },
        snapshot: expected,
      });
      const watch = store.watch();
      assertEquals(JSON.stringify([store.keys(), store.entries(), watch]), "[{},{},{}]");
      assertEquals([store, snapshot, watch, store.keys()].map((thing) => Object.keys(thing)), [
        ["recovery"],
        [],
        [],
        [],
      ]);
      await watch.return();
      await store.delete("a");
      assertEquals([store.toJSON().keys, snapshot.toJSON().keys], [0, 1]);
      await store.close();
      assertEquals(store.toJSON(), { directory: context.directory, keys: 0, diskBytes: store.toJSON().diskBytes });
    },
  },
  {
    name: "inspection: consoles show a store as they show its JSON, with the name of its class",
    async run(context) {
      const store = await context.open();
      const inspect = Reflect.get(store, Symbol.for("nodejs.util.inspect.custom"));
      const options = { depth: 1 };
      const shown = inspect.call(store, 0, options, (thing: unknown, given: unknown) => {
        assertEquals(given, options);
        return JSON.stringify(thing);
      });
      assertEquals(shown, `KvStore ${JSON.stringify(store)}`);
      assertEquals(inspect.call(store, 0, options), store.toJSON());
    },
  },
  {
    name: "iterators: have the calls of the runtime's own iterators, where it has such, and end with them",
    async run(context) {
      const store = await context.open();
      await store.batch(["a", "b", "c"].map((key) => ({ type: "set", key, value: key })));
      const iterator = store.keys();
      const helpers = (globalThis as { Iterator?: { prototype: object } }).Iterator?.prototype;
      if (helpers !== undefined && "map" in helpers) {
        const upper = (store.keys() as IteratorObject<string>).map((key) => key.toUpperCase()).take(2);
        assertEquals([...upper], ["A", "B"]);
        assertEquals(store.entries().filter(([key]) => key !== "b").toArray(), [["a", "a"], ["c", "c"]]);
        assertEquals([...iterator.take(1)], ["a"]);
        assertEquals(iterator.next(), { done: true, value: undefined });
      }
      const pinned = store.values();
      pinned[Symbol.dispose]();
      assertEquals([...pinned], []);
    },
  },
  {
    name: "errors: are told apart from others by KvStoreError.is, also those of another copy of the package",
    run() {
      // A program that imports the package, and requires something that requires it, has two classes of this name.
      const error = assertThrowsCode(() => {
        throw new KvStoreError("CLOSED", "the store is closed");
      }, "CLOSED");
      const brand = Object.getOwnPropertySymbols(KvStoreError.prototype);
      assertEquals(brand, [Symbol.for("@kvstore/kvstore: KvStoreError")]);
      class OtherCopy extends Error {
        static {
          Object.defineProperty(this.prototype, brand[0]!, { value: true });
        }
      }
      class Derived extends KvStoreError {}
      const ours = [error, new OtherCopy(), new Derived("IO", "")];
      assertEquals(ours.map((one) => KvStoreError.is(one)), [true, true, true]);
      const others = [undefined, null, "CLOSED", new Error("CLOSED"), { code: "CLOSED", name: "KvStoreError" }];
      assertEquals(others.map((one) => KvStoreError.is(one)), others.map(() => false));
    },
  },
  {
    name: "opening: a class that extends KvStore opens instances of itself, and no store is made by new",
    async run(context) {
      class Counters extends KvStore<number, string> {
        next(key: string): number {
          const count = (this.get(key) ?? 0) + 1;
          this.set(key, count);
          return count;
        }
      }
      const counters = await Counters.openOn(context.platform, context.directory, {}) as unknown as Counters;
      assert(counters instanceof Counters);
      assertEquals([counters.next("a"), counters.next("a")], [1, 2]);
      assertEquals(
        String(Reflect.get(counters, Symbol.for("nodejs.util.inspect.custom")).call(counters, 0, {}, String)),
        "Counters [object Object]",
      );
      await counters.close();
      for (const Class of [KvStore, Counters] as unknown as (new (...given: unknown[]) => KvStore)[]) {
        let error: unknown;
        try {
          new Class("x");
        } catch (thrown) {
          error = thrown;
        }
        assert(error instanceof TypeError && error.message.includes("KvStore.open"), String(error));
      }
    },
  },
  {
    name: "opening: what is no path is refused, and a URL in a string before it becomes a directory named file:",
    async run() {
      const calls = [
        KvStore.open,
        verifyStore,
        repairStore,
        destroyStore,
      ] as ((directory: unknown) => Promise<unknown>)[];
      for (const call of calls) {
        for (
          const wrong of ["", undefined, null, 1, {}, "file:///data", "FILE:data", new URL("https://example.com/a")]
        ) {
          const error = await call(wrong).catch((error) => error);
          assert(error instanceof TypeError && error.message.includes("a directory"), `${String(wrong)}: ${error}`);
        }
      }
    },
  },
];
