/** `log`. @module */

import { hasSwitch, wholeNumber } from "../command_line/arguments.ts";
import type { Command, Context } from "../command_line/definition.ts";
import { EXIT } from "../command_line/errors.ts";
import { openExisting } from "../command_line/open_store.ts";
import { drawingStyle } from "../input_output/terminal.ts";
import { keyForm, toBase64 } from "../text/notation.ts";
import { type LogItem, type LogManifest, readLog } from "./items.ts";
import { LogView } from "./view.ts";

/** Columns if standard output is not a terminal. */
const DEFAULT_WIDTH = 120;

/** Shows the log as it lies on disk. */
export const log: Command = {
  name: "log",
  args: [{ name: "SEGMENT", optional: true }],
  options: [{ name: "bytes", about: "show every field of every record, with its bytes, name and meaning" }],
  summary: "show the records as they lie on disk, and explain them",
  description:
    `Shows all segments, or one. Prints for each record its offset, sequence number, kind, key, value (shortened) and
length, whether it is live, stale, a tombstone or a mark, and whether its checksums fit. A legend at the end
explains one record byte by byte; --quiet leaves it out. Uses colours on a terminal, unless NO_COLOR is set.`,
  json: "a line for the manifest, then one for each segment, record and damaged range; bytes as base64",
  example: ["kvstore log 1 --quiet"],
  run: async (context) => {
    const number = context.args[0];
    const segment = number === undefined ? undefined : wholeNumber(number, "SEGMENT", 0);
    const { manifest, items } = openLog(context, segment);
    const draw = context.json ? jsonDrawing(manifest) : viewDrawing(context, manifest);
    if (context.out.add(draw.begin())) await context.out.flush();
    for (const item of items) {
      if (context.out.add(draw.item(item))) await context.out.flush();
    }
    context.out.add(draw.end());
    await context.out.flush();
    return EXIT.done;
  },
};

/** A format to write the log in. */
interface Drawing {
  begin: () => string;
  item: (item: LogItem) => string;
  end: () => string;
}

function openLog(context: Context, segment: number | undefined): ReturnType<typeof readLog> {
  return openExisting(context, () => readLog(context.dir, segment === undefined ? {} : { segment }));
}

function viewDrawing(context: Context, manifest: LogManifest): Drawing {
  const view = new LogView(manifest, { ...drawingStyle(DEFAULT_WIDTH), bytes: hasSwitch(context, "bytes") });
  let first = true;
  return {
    begin: () => view.manifest(context.dir),
    item: (item) => {
      if (item.type === "record") return view.record(item);
      if (item.type !== "segment") return view.damage(item);
      const apart = first ? "" : "\n";
      first = false;
      return apart + view.segment(item);
    },
    end: () => context.quiet ? "" : "\n" + view.legend(),
  };
}

function jsonDrawing(manifest: LogManifest): Drawing {
  return {
    begin: () => JSON.stringify({ type: "manifest", ...manifest }) + "\n",
    item: (item) => JSON.stringify(itemForm(item)) + "\n",
    end: () => "",
  };
}

function itemForm(item: LogItem): unknown {
  if (item.type === "segment") return { ...item, header: toBase64(item.header) };
  if (item.type !== "record") return item;
  const { key, ...plain } = item;
  return { ...plain, ...(key === undefined ? {} : { key: keyForm(key) }), head: toBase64(item.head) };
}
