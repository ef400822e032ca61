/** Iterators: fixed when called, whatever happens to the store meanwhile. */

import { assert, assertEquals } from "@std/assert";
import type { KvStore } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import {
  assertThrowsCode,
  contents,
  damage,
  failWrites,
  fill,
  heal,
  MANUAL,
  outcomes,
  SMALL,
} from "./support/helpers.ts";

async function setLetters(store: KvStore): Promise<void> {
  await store.batch([..."abcde"].map((key) => ({ type: "set", key, value: key.toUpperCase() })));
}

export const iteratorCases: Case[] = [
  {
    name: "iterators: are taken when called, pending writes included",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      const writes: Promise<unknown>[] = [store.set("b", 2), store.delete("a")];
      const entries = store.entries();
      writes.push(store.set("a", 9), store.set("c", 3), store.delete("b"));
      await Promise.all(writes);
      assertEquals([...entries], [["b", 2]]);
      assertEquals(contents(store), [["a", 9], ["c", 3]]);
    },
  },
  {
    name: "iterators: see nothing of what is written while they run",
    async run(context) {
      const store = await context.open();
      await setLetters(store);
      const seen: unknown[] = [];
      for (const [key, value] of store) {
        seen.push([key, value]);
        await store.set("c", "changed");
        await store.delete("d");
        await store.set("bb", "new");
        await store.set("z", "new");
      }
      assertEquals(seen, [["a", "A"], ["b", "B"], ["c", "C"], ["d", "D"], ["e", "E"]]);
      assertEquals([...store.keys()], ["a", "b", "bb", "c", "e", "z"]);
    },
  },
  {
    name: "iterators: deleting each key as it comes visits all and leaves none",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 200);
      let visited = 0;
      const deletes: Promise<boolean>[] = [];
      for (const key of store.keys()) {
        visited++;
        deletes.push(store.delete(key));
      }
      assertEquals([visited, store.size], [200, 0]);
      assert((await Promise.all(deletes)).every((wasThere) => wasThere));
    },
  },
  {
    name: "iterators: several at once see each their own moment",
    async run(context) {
      const store = await context.open();
      const iterators = [store.entries()];
      for (let i = 0; i < 5; i++) {
        await store.set("a", i);
        await store.set(`k${i}`, i);
        iterators.push(store.entries());
      }
      const found = iterators.reverse().map((iterator) =>
        [...iterator].map(([key, value]) => `${key}=${value}`).join()
      );
      assertEquals(found.reverse(), [
        "",
        "a=0,k0=0",
        "a=1,k0=0,k1=1",
        "a=2,k0=0,k1=1,k2=2",
        "a=3,k0=0,k1=1,k2=2,k3=3",
        "a=4,k0=0,k1=1,k2=2,k3=3,k4=4",
      ]);
    },
  },
  {
    name: "iterators: read on across compaction, clear and rotation",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 100);
      const expected = contents(store);
      const [before, across] = [store.entries(), store.entries()];
      const found = [before.next().value!];
      await fill(store, 100, "other ".repeat(20));
      await store.compact();
      found.push(before.next().value!);
      await store.clear();
      await store.compact();
      await fill(store, 10, "later");
      found.push(...before);
      assertEquals(found, expected);
      assertEquals([...across], expected);
      assertEquals(store.size, 10);
      await store.compact();
      assertEquals(store.stats().pinnedSegments, 0);
    },
  },
  {
    name: "iterators: pin files only until they end, by running out, with the last item of a limit, or by return()",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 100);
      const iterators = [store.values(), store.values({ reverse: true }), store.values({ limit: 2 })];
      for (const iterator of iterators) iterator.next();
      await store.clear();
      await store.compact();
      assert(store.stats().pinnedSegments > 0);
      assertEquals(iterators[0]!.return!(), { done: true, value: undefined });
      assertEquals([...iterators[1]!].length, 99);
      assert(store.stats().pinnedSegments > 0);
      assertEquals(iterators[2]!.next().done, false);
      assertEquals(store.stats().pinnedSegments, 0);
      assertEquals([...iterators[2]!], []);
      // Files are removed in the background; a compaction waits for that.
      await store.compact();
      assertEquals(context.segments().length, store.stats().segments);
    },
  },
  {
    name: "iterators: breaking off a loop ends them",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 100);
      const iterator = store.keys();
      for (const _ of iterator) break;
      assertEquals([...iterator], []);
      await store.clear();
      await store.compact();
      assertEquals(store.stats().pinnedSegments, 0);
    },
  },
  {
    name: "iterators: after the end next() stays at the end",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      const iterator = store.keys();
      assertEquals(iterator.next(), { done: false, value: "a" });
      for (let i = 0; i < 3; i++) assertEquals(iterator.next(), { done: true, value: undefined });
      assertEquals(iterator[Symbol.iterator](), iterator);
    },
  },
  {
    name: "iterators: throw CLOSED once the store is closed",
    async run(context) {
      const store = await context.open();
      await setLetters(store);
      const iterators = [store.keys(), store.values(), store.entries()];
      for (const iterator of iterators) iterator.next();
      const closed = store.close();
      for (const iterator of iterators) assertThrowsCode(() => iterator.next(), "CLOSED");
      await closed;
      for (const iterator of iterators) assertThrowsCode(() => iterator.next(), "CLOSED");
    },
  },
  {
    name: "iterators: a damaged record throws CORRUPT with its place, and the next call goes on behind it",
    async run(context) {
      const store = await context.open(MANUAL);
      for (const key of ["a", "b", "c"]) await store.set(key, `the value of ${key}`);
      const repair = damage(context, "the value of b");
      for (const reverse of [false, true]) {
        const values = store.values({ reverse });
        const found = [values.next().value];
        const error = assertThrowsCode(() => values.next(), "CORRUPT");
        assert(error.file?.endsWith(".seg") && error.offset! > 0 && error.reason !== undefined);
        found.push(values.next().value);
        assertEquals(values.next().done, true);
        const expected = ["the value of a", "the value of c"];
        assertEquals(found, reverse ? expected.reverse() : expected);
      }
      assertEquals([...store.keys()], ["a", "b", "c"]);
      assertThrowsCode(() => store.get("b"), "CORRUPT");
      assertEquals([store.has("b"), store.get("c")], [true, "the value of c"]);
      repair();
      assertEquals(store.get("b"), "the value of b");
    },
  },
  {
    name: "iterators: taken over writes that are rejected later, they show what the store then is",
    async run(context) {
      const store = await context.open(MANUAL);
      await setLetters(store);
      failWrites(context);
      const writes = [store.set("a", "lost"), store.set("new", 1), store.delete("c"), store.clear()];
      const iterator = store.entries();
      const [first, second] = [store.snapshot(), (writes.push(store.set("x", 1)), store.snapshot())];
      assertEquals(await outcomes(writes), ["IO", "IO", "IO", "IO", "IO"]);
      heal(context);
      const expected = [..."abcde"].map((key) => [key, key.toUpperCase()] as [string, string]);
      assertEquals(contents(store), expected);
      for (const snapshot of [first, second]) assertEquals([contents(snapshot), snapshot.size], [expected, 5]);
      for (const [key, value] of iterator) assertEquals(value, store.get(key));
    },
  },
];
