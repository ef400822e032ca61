/** Read-only stores: beside a writer, without a lock, changing nothing; refresh. */

import { assert, assertEquals } from "@std/assert";
import { KvStore } from "../../mod.ts";
import type { OperationKind } from "../support/memory_platform.ts";
import type { Case, Context } from "./support/context.ts";
import { assertCode, bytes, contents, fill, heal, MANUAL, outcomes, SMALL } from "./support/helpers.ts";
import { WatchedPlatform } from "./support/watched_platform.ts";

const CHANGING: OperationKind[] = [
  "write",
  "sync",
  "syncDirectory",
  "rename",
  "remove",
  "makeDirectory",
  "removeDirectory",
  "lock",
];

/** Opens a reader beside a writer, and tells what the reader saw after each step once it refreshes. */
async function follow(
  context: Context,
  writer: KvStore,
  steps: [name: string, step: () => Promise<unknown>, isNews: boolean][],
): Promise<void> {
  const reader = await context.open({ readOnly: true });
  for (const [name, step, isNews] of steps) {
    const before = contents(reader);
    await step();
    assertEquals(contents(reader), before, `${name}: before refresh`);
    assertEquals(await reader.refresh(), isNews, `${name}: refresh says`);
    assertEquals(contents(reader), contents(writer), `${name}: after refresh`);
    assertEquals(reader.size, writer.size);
    assertEquals(await reader.refresh(), false, `${name}: a second refresh`);
    assertEquals((await reader.verify()).problems, [], name);
  }
}

export const readOnlyCases: Case[] = [
  {
    name: "read-only: reads everything, writes nothing, takes no lock",
    async run(context) {
      const writer = await context.open(SMALL);
      await fill(writer, 100);
      await writer.close();
      const [before, changes] = [context.image(), context.platform.countOf(...CHANGING)];
      const reader = await context.open({ readOnly: true });
      assertEquals([reader.size, [...reader].length, reader.stats().keys], [100, 100, 100]);
      assertEquals(await reader.refresh(), false);
      assertEquals((await reader.verify()).problems, []);
      await reader.close();
      assertEquals(context.platform.countOf(...CHANGING), changes);
      assertEquals(context.image(), before);
    },
  },
  {
    name: "read-only: every writing call rejects with READ_ONLY",
    async run(context) {
      await (await context.open()).close();
      const reader = await context.open({ readOnly: true });
      const calls = [
        reader.set("a", 1),
        reader.delete("a"),
        reader.batch([]),
        reader.clear(),
        reader.flush(),
        reader.compact(),
      ];
      assertEquals(new Set(await outcomes(calls)), new Set(["READ_ONLY"]));
    },
  },
  {
    name: "read-only: several readers work beside a writer, and the writer beside them",
    async run(context) {
      const writer = await context.open();
      await writer.set("a", 1);
      const readers = [await context.open({ readOnly: true }), await context.open({ readOnly: true })];
      await writer.set("b", 2);
      for (const reader of readers) assertEquals(contents(reader), [["a", 1]]);
      assertEquals(await readers[0]!.refresh(), true);
      assertEquals(readers.map((reader) => reader.size), [2, 1]);
    },
  },
  {
    name: "read-only: a damaged or torn end that nobody has recovered is no obstacle, and stays as it is",
    async run(context) {
      const writer = await context.open(MANUAL);
      await writer.set("a", 1);
      await writer.set("b", 1);
      context.kill();
      const [name] = context.segments();
      context.replaceFile(name!, bytes(...context.readFile(name!), 1, 2, 3, 4, 5));
      const before = context.image();
      const reader = await context.open({ readOnly: true });
      assertEquals(contents(reader), [["a", 1], ["b", 1]]);
      assertEquals([reader.recovery.clean, reader.recovery.discardedBytes], [false, 5]);
      assertEquals(await reader.refresh(), false);
      assertEquals(context.image(), before);
    },
  },
  {
    name: "refresh: follows sets, overwrites, deletes, batches and clear, and says whether there was news",
    async run(context) {
      const writer = await context.open(MANUAL);
      await writer.set("a", 1);
      await follow(context, writer, [
        ["nothing", () => Promise.resolve(), false],
        ["set", () => writer.set("b", 1), true],
        ["overwrite", () => writer.set("a", "longer than before"), true],
        ["delete", () => writer.delete("a"), true],
        ["delete of nothing", () => writer.delete("a"), false],
        ["batch", () => writer.batch([{ type: "set", key: "c", value: 1 }, { type: "delete", key: "b" }]), true],
        ["flush", () => writer.flush(), false],
        ["clear", () => writer.clear(), true],
        ["set after clear", () => writer.set("c", 2), true],
      ]);
    },
  },
  {
    name: "refresh: follows rotation and compaction; a compaction alone is no news",
    needsOpenFiles: true,
    async run(context) {
      const writer = await context.open(SMALL);
      await fill(writer, 50);
      await follow(context, writer, [
        ["rotation", () => fill(writer, 200, "x".repeat(90)), true],
        ["compaction", () => writer.compact(), false],
        ["overwrites", () => fill(writer, 100, "y".repeat(90)), true],
        ["compaction again", () => writer.compact(), false],
        ["both", () => fill(writer, 150, "z".repeat(90)).then(() => writer.compact()), true],
      ]);
    },
  },
  {
    name: "refresh: deletes whose tombstones compaction has already dropped are news",
    needsOpenFiles: true,
    async run(context) {
      const writer = await context.open(SMALL);
      await fill(writer, 100);
      await follow(context, writer, [
        ["delete", () => writer.delete("key 00000").then(() => writer.compact()), true],
        ["clear", () => writer.clear().then(() => writer.compact()), true],
      ]);
    },
  },
  {
    name: "refresh: follows a writer through close, reopening, and death",
    async run(context) {
      let writer = await context.open(SMALL);
      await fill(writer, 100);
      const reader = await context.open({ readOnly: true });
      writer = await context.reopen(writer, SMALL);
      assertEquals([await reader.refresh(), reader.size], [false, 100]);
      await writer.set("after", 1);
      assertEquals([await reader.refresh(), reader.get("after")], [true, 1]);
      await writer.close();
      assertEquals([await reader.refresh(), reader.size], [false, 101]);
      writer = await context.open(SMALL);
      await writer.clear();
      await writer.compact();
      await writer.set("new", 1);
      assertEquals([await reader.refresh(), contents(reader)], [true, [["new", 1]]]);
    },
  },
  {
    name: "refresh: what a writer took back is gone, what it wrote instead is there",
    async run(context) {
      const writer = await context.open(MANUAL);
      await writer.set("a", 1);
      const reader = await context.open({ readOnly: true });
      let calls = 0;
      context.platform.onOperation = ({ kind, path }) => {
        if (kind !== "write" || !path.endsWith(".seg")) return;
        if (calls++ > 0) throw new Error("no space left");
        return 80;
      };
      assertEquals(await outcomes([writer.set("b", 1), writer.set("c", 1), writer.set("d", 1)]), ["IO", "IO", "IO"]);
      heal(context);
      await reader.refresh();
      await writer.set("e", 1);
      await reader.refresh();
      assertEquals(contents(reader), [["a", 1], ["e", 1]]);
    },
  },
  {
    name: "refresh: iterators and snapshots of a reader stay as they were, across everything the writer does",
    needsOpenFiles: true,
    async run(context) {
      const writer = await context.open(SMALL);
      await fill(writer, 100);
      const reader = await context.open({ readOnly: true });
      const expected = contents(reader);
      const [iterator, snapshot] = [reader.entries(), reader.snapshot()];
      const found = [iterator.next().value!];
      const steps = [
        () => fill(writer, 60, "other ".repeat(15)),
        () => writer.compact(),
        () => writer.delete("key 00050"),
        () => writer.clear().then(() => writer.compact()),
        () => writer.set("key 00001", "back"),
      ];
      for (const step of steps) {
        await step();
        await reader.refresh();
        found.push(iterator.next().value!);
        assertEquals([snapshot.size, snapshot.get("key 00050")], [100, "v".repeat(100)]);
      }
      found.push(...iterator);
      assertEquals(found, expected);
      assertEquals(contents(snapshot), expected);
      assertEquals(contents(reader), [["key 00001", "back"]]);
      snapshot.close();
      assertEquals(reader.stats().pinnedSegments, 0);
    },
  },
  {
    name: "refresh: follows a writer's death and recovery; what a reader holds stays as it was",
    needsOpenFiles: true,
    async run(context) {
      let writer = await context.open(MANUAL);
      await writer.set("a", "first");
      await writer.set("b", "first", { durability: "write" });
      const others = new WatchedPlatform(context.platform.inner);
      const reader = await KvStore.openOn(others, context.directory, { readOnly: true });
      const [snapshot, iterator, expected] = [reader.snapshot(), reader.entries(), contents(reader)];
      assertEquals(expected.length, 2);
      writer = await context.reopenAfterKill(MANUAL);
      await reader.refresh();
      assertEquals(contents(reader), expected);
      await writer.batch([{ type: "set", key: "a", value: "second" }, { type: "delete", key: "b" }]);
      await writer.compact();
      assertEquals(await reader.refresh(), true);
      assertEquals(contents(reader), [["a", "second"]]);
      assertEquals([contents(snapshot), [...iterator]], [expected, expected]);
      await reader.close();
      assertEquals(others.held, 0);
    },
  },
  {
    name: "refresh: a reader that does not refresh reads on from files that the writer has removed",
    needsOpenFiles: true,
    async run(context) {
      const writer = await context.open(SMALL);
      await fill(writer, 100);
      const reader = await context.open({ readOnly: true });
      const expected = contents(reader);
      await writer.clear();
      await writer.compact();
      assertEquals(contents(reader), expected);
    },
  },
  {
    name: "refresh: costs what is new",
    async run(context) {
      const writer = await context.open(MANUAL);
      for (let i = 0; i < 20; i++) await writer.set(`k${i}`, new Uint8Array(100_000));
      const reader = await context.open({ readOnly: true });
      await writer.set("new", 1);
      let read = 0;
      context.platform.onOperation = ({ kind, bytes = 0 }) => {
        if (kind === "read") read += bytes;
      };
      assertEquals(await reader.refresh(), true);
      heal(context);
      assert(read > 0 && read < 10_000, `${read} bytes were read`);
    },
  },
  {
    name: "refresh: on a writer has nothing to do, on a closed store it rejects with CLOSED",
    async run(context) {
      const store = await context.open();
      await store.set("a", 1);
      assertEquals(await store.refresh(), false);
      const reader = await context.open({ readOnly: true });
      await reader.close();
      await assertCode(reader.refresh(), "CLOSED");
    },
  },
];
