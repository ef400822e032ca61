/** A clock that was ahead and is put right, and stores that are open for reading. */

import { assert, assertEquals } from "@std/assert";
import type { Key, Value } from "../../mod.ts";
import type { Case } from "./support/context.ts";
import { openAt, START } from "./expiry.ts";
import { HOUR, openedIn2100, YEAR_2100 } from "./expiry_back.ts";
import { MANUAL } from "./support/helpers.ts";

export const readerClockCases: Case[] = [
  {
    name: "clock: a reader whose own was ahead keeps away what it saw expire, and sees what it reads later",
    async run(context) {
      const writer = await openAt(context, MANUAL);
      await writer.set("victim", 1, { ttl: HOUR });
      await writer.set("later", 1, { expiresAt: YEAR_2100 + HOUR });
      const reader = await context.open({ readOnly: true });
      using before = reader.snapshot();
      context.clock.nowMs = YEAR_2100;
      assertEquals(reader.size, 1);
      using ahead = reader.snapshot();
      context.clock.nowMs = START;
      await writer.set("young", 1, { ttl: HOUR });
      for (let round = 0; round < 3; round++) {
        assertEquals(await reader.refresh(), round === 0);
        assertEquals([...reader.keys()], ["later", "young"], `round ${round}`);
        assertEquals([...writer.keys()], ["later", "victim", "young"]);
        assertEquals((await reader.verify()).problems, []);
        // Copied to another segment, the record is not a new one.
        if (round === 0) await writer.compact();
      }
      assertEquals([[...before.keys()], [...ahead.keys()]], [["later", "victim"], ["later"]]);
      await writer.set("victim", 2, { ttl: HOUR });
      await reader.refresh();
      assertEquals([...reader.entries()], [["later", 1], ["victim", 2], ["young", 1]]);
      assertEquals((await reader.verify()).problems, []);
    },
  },
  {
    name: "clock: a reader forgets nothing at a refresh, if it expired by a clock that is still right",
    async run(context) {
      const writer = await openAt(context, MANUAL);
      await writer.set("victim", 1, { ttl: HOUR });
      const reader = await context.open({ readOnly: true });
      context.clock.nowMs = START + HOUR;
      assertEquals(reader.size, 0);
      await writer.set("stays", 1);
      await reader.refresh();
      // Not even between two refreshes.
      context.clock.nowMs = START;
      assertEquals([...reader.keys()], ["stays"]);
    },
  },
  {
    name: "clock: a reader that has to read all anew leaves out what it saw expire",
    async run(context) {
      let writer = await openAt(context, MANUAL);
      for (const key of ["a", "b"]) await writer.set(key, 1, { ttl: HOUR });
      const reader = await context.open({ readOnly: true });
      context.clock.nowMs = YEAR_2100;
      assertEquals(reader.size, 0);
      context.clock.nowMs = START;
      await writer.set("young", 1, { ttl: HOUR });
      await reader.refresh();
      for (let round = 0; round < 3; round++) {
        // The segment that is written to is gone.
        await writer.set("b", round, { ttl: HOUR });
        await writer.compact();
        if (round === 1) writer = await context.reopen(writer, MANUAL);
        if (round === 2) {
          context.clock.nowMs = YEAR_2100;
          assertEquals(reader.size, 0);
          context.clock.nowMs = START;
          await writer.set("b", "new", { ttl: HOUR });
          await writer.compact();
        }
        assertEquals(await reader.refresh(), true);
        const left: [Key, Value][] = round === 2 ? [["b", "new"]] : [["b", round], ["young", 1]];
        assertEquals([...reader.entries()], left, `round ${round}`);
        assertEquals((await reader.verify()).problems, []);
        assertEquals([...writer.keys()], ["a", "b", "young"]);
      }
    },
  },
  {
    name: "clock: a reader follows a writer that has put its own right",
    async run(context) {
      const writer = await openedIn2100(context, MANUAL);
      const reader = await context.open({ readOnly: true });
      assertEquals([...reader.keys()], ["later", "stays"]);
      await writer.set("young", 1, { ttl: HOUR });
      assertEquals([await reader.refresh(), [...reader.keys()]], [true, ["later", "stays", "young"]]);
      assertEquals([...(await context.open({ readOnly: true })).keys()], ["later", "stays", "young"]);
      assertEquals((await reader.verify()).problems, []);
    },
  },
  {
    name: "clock: a refresh says that something changed if keys go that the writer alone saw expire",
    async run(context) {
      for (const tells of ["a compaction", "a clean end"]) {
        const writer = await openAt(context, MANUAL);
        await writer.set("victim", "v".repeat(1000), { ttl: HOUR });
        await writer.set("stays", 1);
        const reader = await context.open({ readOnly: true });
        context.clock.nowMs = YEAR_2100;
        assertEquals(writer.size, 1);
        context.clock.nowMs = START;
        assertEquals([await reader.refresh(), reader.size], [false, 2]);
        await (tells === "a compaction" ? writer.compact() : writer.close());
        assertEquals([await reader.refresh(), [...reader.keys()]], [true, ["stays"]], tells);
        assertEquals(await reader.refresh(), false, tells);
        await reader.close();
        await writer.close();
      }
    },
  },
  {
    name: "clock: a reader that the writer overtakes believes no floor that has been lowered meanwhile",
    async run(context) {
      for (const isRefresh of [false, true]) {
        const writer = await openedIn2100(context, MANUAL);
        await writer.set("stays", "v");
        let reader = isRefresh ? await context.open({ readOnly: true }) : undefined;
        let written: Promise<void> | undefined;
        context.platform.onOperation = ({ kind, path }) => {
          // The file that is open by now is the old one.
          if (kind !== "read" || !path.endsWith("MANIFEST")) return;
          context.platform.onOperation = undefined;
          written = writer.set("young", 1, { ttl: HOUR });
          writer.flushSync();
        };
        if (reader === undefined) reader = await context.open({ readOnly: true });
        else await reader.refresh();
        assert(written !== undefined);
        await written;
        await reader.refresh();
        assertEquals([...reader.keys()], ["later", "stays", "young"], String(isRefresh));
        await reader.close();
        await writer.clear();
        await writer.close();
      }
    },
  },
];
