import { assert, assertEquals } from "@std/assert";
import { compactGroup } from "../../src/engine/compactor.ts";
import { RecordCursor } from "../../src/engine/cursor.ts";
import { KIND } from "../../src/engine/record.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { Harness } from "../support/compaction_harness.ts";
import { oldestFirst } from "../../src/maintenance/groups.ts";

Deno.test("compaction: above the history floor, every segment has its records in the order of the writes", async () => {
  const sequencesOf = (segment: Segment) => {
    const cursor = new RecordCursor(segment, segment.headerBytes, segment.endBytes);
    const found: number[] = [];
    while (cursor.next()) if (cursor.kind !== KIND.mark) found.push(cursor.sequence);
    return found;
  };
  let disordered = 0;
  // Every order of four pairs out of five segments: what compaction takes together need not lie together.
  for (let choice = 0; choice < 4 ** 4; choice++) {
    const harness = new Harness();
    for (let round = 0; round < 5; round++) {
      harness.set(`live ${round}`, "v");
      // Something is dropped in the first two only: what lies above the floor is most of it.
      if (round < 2) harness.set("hot", `${round}`);
      harness.set(`also live ${round}`, "v");
      harness.seal();
    }
    const written = oldestFirst(harness.engine.log.segments.values()).flatMap(sequencesOf);
    for (let pairs = choice, i = 0; i < 4; i++, pairs >>= 2) {
      const sealed = [...harness.engine.log.segments.values()].filter((one) => one.sealed);
      const first = sealed[pairs % 4 % sealed.length]!;
      const second = sealed[(pairs % 4 + 1 + i % 3) % sealed.length]!;
      if (first === second) continue;
      await compactGroup(harness.engine, [first, second]);
      const { segments, historyFloor } = harness.engine.log;
      const above = (numbers: number[]) => numbers.filter((sequence) => sequence > historyFloor);
      const all = Array.from(segments.values(), sequencesOf);
      for (const numbers of all) {
        assertEquals(above(numbers), above(numbers).sort((a, b) => a - b));
        if (numbers.some((sequence, at) => sequence < (numbers[at - 1] ?? 0))) disordered++;
      }
      assertEquals(all.flatMap(above).sort((a, b) => a - b), above(written));
    }
    await harness.verify();
  }
  assert(disordered > 0, "no copy was out of order at all");
});
