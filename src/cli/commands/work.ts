/** `stats`, `compact` and `backup`. @module */

import type { KvStore, Stats } from "../../../mod.ts";
import type { Command, Context } from "../command.ts";
import { EXIT, UsageError } from "../errors.ts";
import { counted, grouped, humanBytes, percentage } from "../format.ts";
import { withStore } from "../open.ts";
import { withProgress } from "../progress.ts";

/** Prints the store's figures. */
export const stats: Command = {
  name: "stats",
  args: [],
  options: [],
  summary: "print the store's figures: keys, bytes on disk, what compaction could win",
  description: `Live bytes are records that hold a current value; stale ones compaction can win; tombstones mark keys
that were deleted, or have expired, and that older segments may still hold.`,
  json: "the figures of stats() in the library, as one object",
  example: ["kvstore stats", "keys                3", "disk               226 B  …"],
  run: (context) =>
    withStore(context, "read", async (store) => {
      const figures = store.stats();
      const { lastCompactionError: error, ...plain } = figures;
      const text = context.json
        ? JSON.stringify(error === undefined ? plain : { ...plain, lastCompactionError: error.message }) + "\n"
        : statsTable(figures);
      context.out.add(text);
      await context.out.flush();
      return EXIT.done;
    }),
};

/** The figures that mean something in a process of its own, one a line. */
export function statsTable(figures: Stats): string {
  const share = (bytes: number) => figures.diskBytes > 0 ? percentage(bytes, figures.diskBytes) : "";
  const rows: [name: string, human: string, exact: string, share: string][] = [
    ["keys", grouped(figures.keys), "", ""],
    ["segments", grouped(figures.segments), "", ""],
    ["last sequence", grouped(figures.lastSequence), "", ""],
    ["disk", humanBytes(figures.diskBytes), `${grouped(figures.diskBytes)} bytes`, ""],
    ["  live", humanBytes(figures.liveBytes), `${grouped(figures.liveBytes)} bytes`, share(figures.liveBytes)],
    ["  stale", humanBytes(figures.staleBytes), `${grouped(figures.staleBytes)} bytes`, share(figures.staleBytes)],
    [
      "  tombstones",
      humanBytes(figures.tombstoneBytes),
      `${grouped(figures.tombstoneBytes)} bytes`,
      share(figures.tombstoneBytes),
    ],
    ["index in memory", humanBytes(figures.indexBytes), `${grouped(figures.indexBytes)} bytes`, ""],
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map(([name, human, exact, part]) => {
    const cells = [name.padEnd(widths[0]!), human.padStart(widths[1]!), exact.padStart(widths[2]!), part.padStart(5)];
    return cells.join("   ").trimEnd() + "\n";
  }).join("");
}

/** Gives stale space back. */
export const compact: Command = {
  name: "compact",
  args: [],
  options: [],
  summary: "rewrite the log without what nobody needs any more",
  description: "Says on standard error how many bytes the log had before and has now.",
  json: '{"segmentsBefore":2,"segmentsAfter":1,"diskBytesBefore":226,"diskBytesAfter":130}',
  example: ["kvstore compact", "kvstore: 226 B before, 130 B after, 96 B won"],
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
  const won = before > after ? `${humanBytes(before - after)} won` : "nothing to win";
  const exact = `${grouped(before)} bytes before, ${grouped(after)} after`;
  return `${humanBytes(before)} before, ${humanBytes(after)} after, ${won} (${exact})`;
}

/** Copies a live store. */
export const backup: Command = {
  name: "backup",
  args: [{ name: "DEST", completion: "directory" }],
  options: [],
  summary: "copy the store, consistent and verified, while an application uses it",
  description:
    "DEST must be absent or empty. A copy that was cut off never opens, so it cannot be taken for a whole one.",
  json: '{"destination":"…","keys":3}',
  example: ["kvstore backup /mnt/backup/monday", "kvstore: copied 3 keys to /mnt/backup/monday"],
  endsGently: () => true,
  run: (context) => {
    const destination = context.args[0]!;
    if (destination === "") throw new UsageError("DEST is empty; wanted a directory");
    return withStore(context, "read", (store) => backUp(context, store, destination));
  },
};

async function backUp(context: Context, store: KvStore, destination: string): Promise<number> {
  const keys = store.size;
  await withProgress(context, "copying", (options) => store.backup(destination, options));
  if (context.json) {
    context.out.add(JSON.stringify({ destination, keys }) + "\n");
    await context.out.flush();
  } else {
    context.note(`copied ${counted(keys, "key")} to ${destination}`);
  }
  return EXIT.done;
}
