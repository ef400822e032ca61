/** `compact`. @module */

import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { withProgress } from "./input_output/progress_bar.ts";
import { grouped, humanBytes } from "./text/format.ts";

/** Reclaims stale space. */
export const compact: Command = {
  name: "compact",
  args: [],
  options: [],
  summary: "reclaim the space of stale records by rewriting the log",
  description: "Prints the size of the log before and after on standard error.",
  json: '{"segmentsBefore":2,"segmentsAfter":1,"diskBytesBefore":226,"diskBytesAfter":130}',
  example: ["kvstore compact", "kvstore: 226 B before, 130 B after, 96 B reclaimed"],
  endsGently: () => true,
  run: (context) =>
    withStore(context, "write", async (store) => {
      const before = store.stats();
      await withProgress(context, "compacting", (options) => store.compact(options));
      const after = store.stats();
      if (context.json) {
        const result = {
          segmentsBefore: before.segments,
          segmentsAfter: after.segments,
          diskBytesBefore: before.diskBytes,
          diskBytesAfter: after.diskBytes,
        };
        context.out.add(JSON.stringify(result) + "\n");
        await context.out.flush();
      } else {
        context.note(difference(before.diskBytes, after.diskBytes));
      }
      return EXIT.done;
    }),
};

function difference(before: number, after: number): string {
  const won = before > after ? `${humanBytes(before - after)} reclaimed` : "nothing to reclaim";
  const exact = `${grouped(before)} bytes before, ${grouped(after)} after`;
  return `${humanBytes(before)} before, ${humanBytes(after)} after, ${won} (${exact})`;
}
