/** Watches of read-only stores, beside a writer. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { OpenOptions } from "../../mod.ts";
import { apply, Follower, keysOf, sorted, stateOf, take, wordsOf, writeHistory } from "./changes.ts";
import type { Case } from "./support/context.ts";
import { assertCode, contents, fill, MANUAL, SMALL } from "./support/helpers.ts";

export const watchReaderCases: Case[] = [
  {
    name: "watch: a reader's tells what its writer has made durable, and refreshes the reader",
    async run(context) {
      let writer = await context.open(SMALL);
      const reader = await context.open({ readOnly: true, ...SMALL });
      const [all, later] = [new Follower(reader.watch({ since: 0 })), new Follower(reader.watch())];
      const seen = new Map<string, unknown>();
      const look = async () => {
        await reader.refresh();
        const changes = await all.news();
        apply(seen, changes);
        assertEquals((await later.news()).length, changes.length);
      };
      await writeHistory(writer, look);
      writer = await context.reopen(writer, SMALL);
      await look();
      assertEquals(sorted(seen), sorted(stateOf(writer)));
      await writer.compact();
      await look();
      await fill(writer, 30, "new".repeat(40));
      await writer.close();
      await look();
      assertEquals(sorted(seen), sorted(stateOf(reader)));
      assertEquals(contents(reader).length, seen.size);
    },
  },
  {
    name: "watch: a reader's goes on from a number of the writer's, though the reader has not come to it yet",
    async run(context) {
      const writer = await context.open(MANUAL);
      await writer.set("a", 1);
      const reader = await context.open({ readOnly: true });
      await writer.set("b", 1);
      const { lastSequence } = writer.stats();
      const { message } = await assertCode(reader.watch({ since: lastSequence + 1 }).next(), "TRIMMED");
      assertStringIncludes(message, `ends at ${lastSequence}`);
      const watch = new Follower(reader.watch({ since: lastSequence }));
      await writer.set("c", 1);
      await writer.set("d", 1);
      await reader.refresh();
      assertEquals(keysOf(await watch.news()), ["c"]);
    },
  },
  {
    name: "watch: a reader's tells nothing that is only written, and all of it once its writer has recovered",
    async run(context) {
      const writer = await context.open(MANUAL);
      await writer.set("a", 1);
      await writer.set("b", 1, { durability: "write" });
      context.kill();
      const reader = await context.open({ readOnly: true });
      const watches = [new Follower(reader.watch({ since: 0 })), new Follower(reader.watch())];
      // The second group told in its mark that the first one is durable.
      assertEquals(keysOf(await watches[0]!.news()), ["a"]);
      assertEquals(keysOf(await watches[1]!.news()), []);
      const next = await context.open(MANUAL);
      await next.set("c", 1);
      await next.close();
      await reader.refresh();
      for (const watch of watches) assertEquals(keysOf(await watch.news()), ["b", "c"]);
    },
  },
  {
    name: "watch: a reader's that is behind keeps what its writer replaces; what it cannot have seen is TRIMMED",
    async run(context) {
      const options: OpenOptions = { ...SMALL, readOnly: true };
      const writer = await context.open(SMALL);
      for (let i = 0; i < 12; i++) await writer.set("a", `${i} `.repeat(100));
      const reader = await context.open(options);
      const watch = reader.watch({ since: 0 });
      await take(watch, 3);
      await writer.close();
      await reader.refresh();
      const again = await context.open(SMALL);
      await again.compact();
      await reader.refresh();
      const follower = new Follower(watch);
      assertEquals(wordsOf(await follower.news()), ["3", "4", "5", "6", "7", "8", "9", "10", "11"]);
      assertEquals(reader.stats().pinnedSegments, 0);
      for (let i = 0; i < 12; i++) await again.set("a", `${i} `.repeat(100));
      await again.compact();
      await reader.refresh();
      // Nobody tells the reader to look meanwhile. Where all this takes so long that it does by itself, it misses
      // nothing.
      const outcome = await follower.news().then(wordsOf, ({ code }) => code);
      if (outcome !== "TRIMMED") assertEquals(outcome, Array.from({ length: 12 }, (_, i) => String(i)));
    },
  },
];
