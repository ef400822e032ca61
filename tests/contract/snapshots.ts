/** Snapshots: a fixed state for reading, until closed. */

import { assert, assertEquals } from "@std/assert";
import type { Key, KvStore, Reader, Value } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { assertThrowsCode, contents, fill, MANUAL, SMALL } from "./support/helpers.ts";

/** Everything that can be read, by every call there is. */
function readAll(reader: Reader, keys: Key[]): unknown {
  return {
    size: reader.size,
    values: reader.getMany(keys),
    has: keys.map((key) => reader.has(key)),
    entries: contents(reader),
    reverse: [...reader.keys({ reverse: true })],
    all: [...reader],
  };
}

/** Changes of every kind, each followed by a snapshot with what it must show for ever. */
async function changeAndSnap(store: KvStore): Promise<{ snapshot: Reader & Disposable; expected: unknown }[]> {
  const taken: { snapshot: Reader & Disposable; expected: unknown }[] = [];
  const steps: (() => Promise<unknown>)[] = [
    () => store.set("a", 1),
    () => store.batch([{ type: "set", key: "b", value: 2 }, { type: "delete", key: "a" }]),
    () => store.set("a", 3),
    () => store.compact(),
    () => store.clear(),
    () => store.set("c", 4),
    () => store.set("a", 5),
    () => store.clear(),
    () => store.set("b", 6),
    () => store.delete("b"),
    () => store.compact(),
    () => store.set("b", 7),
  ];
  for (const step of steps) {
    taken.push({ snapshot: store.snapshot(), expected: readAll(store, KEYS) });
    await step();
  }
  return taken;
}

const KEYS = ["a", "b", "c", "d"];

export const snapshotCases: Case[] = [
  {
    name: "snapshots: stay as they were through sets, overwrites, deletes, batches, clear and compaction",
    async run(context) {
      const store = await context.open(SMALL);
      const taken = await changeAndSnap(store);
      for (const { snapshot, expected } of taken) assertEquals(readAll(snapshot, KEYS), expected);
      for (const { snapshot } of taken) snapshot[Symbol.dispose]();
    },
  },
  ...[
    ["oldest first", (count: number) => Array.from({ length: count }, (_, i) => i)],
    ["youngest first", (count: number) => Array.from({ length: count }, (_, i) => count - 1 - i)],
    [
      "every second one, then the rest",
      (count: number) => Array.from({ length: count }, (_, i) => (7 * i + 3) % count),
    ],
  ].map(([name, order]): Case => ({
    name: `snapshots: closing one changes nothing in the others: ${name as string}`,
    async run(context) {
      const store = await context.open(SMALL);
      const taken = await changeAndSnap(store);
      const open = new Set(taken);
      for (const i of (order as (count: number) => number[])(taken.length)) {
        taken[i]!.snapshot[Symbol.dispose]();
        open.delete(taken[i]!);
        for (const { snapshot, expected } of open) assertEquals(readAll(snapshot, KEYS), expected);
      }
      assertEquals([open.size, store.stats().pinnedSegments], [0, 0]);
    },
  })),
  {
    name: "snapshots: include pending writes",
    async run(context) {
      const store = await context.open();
      const write = store.set("a", 1);
      const snapshot = store.snapshot();
      const other = store.set("a", 2);
      assertEquals([snapshot.get("a"), store.get("a")], [1, 2]);
      await Promise.all([write, other]);
      assertEquals([snapshot.get("a"), store.get("a")], [1, 2]);
      snapshot.close();
    },
  },
  {
    name: "snapshots: keep what they need on the disk, never block compaction, and give it back when closed",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 200);
      const expected = contents(store);
      const snapshot = store.snapshot();
      await fill(store, 200, "second ".repeat(15));
      await store.compact();
      const { pinnedSegments, diskBytes } = store.stats();
      assert(pinnedSegments > 0);
      assertEquals(contents(snapshot), expected);
      snapshot.close();
      assertEquals(store.stats().pinnedSegments, 0);
      assert(store.stats().diskBytes < diskBytes);
      // Files are removed in the background; a compaction waits for that.
      await store.compact();
      assertEquals(context.segments().length, store.stats().segments);
    },
  },
  {
    name: "snapshots: every call throws CLOSED after close, which may be called twice",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      const snapshot = store.snapshot();
      const iterator = snapshot.keys();
      snapshot.close();
      snapshot.close();
      const calls = [
        () => snapshot.get("a"),
        () => snapshot.getMany(["a"]),
        () => snapshot.has("a"),
        () => snapshot.size,
        () => snapshot.keys(),
        () => snapshot.values(),
        () => snapshot.entries(),
        () => snapshot[Symbol.iterator](),
        () => iterator.next(),
      ];
      for (const call of calls) assertThrowsCode(call, "CLOSED");
      assertEquals(store.get("a"), 1);
    },
  },
  {
    name: "snapshots: `using` closes them",
    async run(context) {
      const store = await context.open(MANUAL);
      let kept: Reader;
      {
        using snapshot = store.snapshot();
        kept = snapshot;
        assertEquals(snapshot.size, 0);
      }
      assertThrowsCode(() => kept.size, "CLOSED");
    },
  },
  {
    name: "snapshots: closing one after its store is harmless",
    async run(context) {
      const store = await context.open(SMALL);
      await fill(store, 100);
      const snapshot = store.snapshot();
      await store.clear();
      await store.compact();
      await store.close();
      snapshot.close();
      assertThrowsCode(() => snapshot.size, "CLOSED");
    },
  },
  {
    name: "snapshots: hundreds at once, with changes between, cost nothing but their changes",
    async run(context) {
      const store = await context.open(MANUAL);
      const snapshots: Reader[] = [];
      const writes: Promise<void>[] = [];
      for (let i = 0; i < 300; i++) {
        writes.push(store.set("counter", i));
        snapshots.push(store.snapshot());
      }
      await Promise.all(writes);
      assertEquals(snapshots.map((snapshot) => snapshot.get("counter")), snapshots.map((_, i): Value => i));
    },
  },
];
