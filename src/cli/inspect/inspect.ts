/** `inspect`. @module */

import { dirname, resolve, sep } from "node:path";
import { realpathSync } from "node:fs";
import { type LogSurvey, surveyLog } from "../../../mod.ts";
import { hasSwitch, optionText } from "../command_line/arguments.ts";
import type { Command, Context } from "../command_line/definition.ts";
import { EXIT, UsageError } from "../command_line/errors.ts";
import { openExisting } from "../command_line/open_store.ts";
import { intoFile } from "../input_output/output_file.ts";
import { progressBar } from "../input_output/progress_bar.ts";
import { drawingStyle } from "../input_output/terminal.ts";
import { counted, humanBytes } from "../text/format.ts";

/** Columns if standard output is not a terminal. */
const DEFAULT_WIDTH = 80;

/** Shows a picture of the log. */
export const inspect: Command = {
  name: "inspect",
  args: [],
  options: [
    {
      name: "html",
      value: "FILE",
      about: "write the picture as a page for a browser to FILE",
      completion: "file",
    },
    { name: "values", about: "with --html: show the beginnings of values too" },
  ],
  summary: "show a picture of the log: what is live, what is stale, what compaction would reclaim",
  description:
    `Draws a bar for each segment, to scale, with a character for each stretch of the file. With --html FILE it
writes a page that explains itself: every record or, in a large store, every stretch of the log; all versions of
a key; the history, which can be played; charts. The page is one file and loads nothing from the network. It
shows keys, and values only with --values. An existing FILE is replaced; - stands for standard output. Reads the
whole log, takes no lock, and works on damaged stores too.`,
  json: "an object with the store's figures, those of each segment, and what compaction would reclaim",
  example: ["kvstore inspect --html log.html", "kvstore: drew 3 keys in 1 segment to log.html (113 KiB)"],
  run: async (context) => {
    const file = optionText(context, "html");
    if (file === undefined && hasSwitch(context, "values")) {
      throw new UsageError("--values is for a page; add --html FILE");
    }
    if (file !== undefined && file !== "-") refuseStoreFiles(context, file);
    const survey = openExisting(context, () => surveyLog(context.dir));
    try {
      await (file === undefined ? printPicture(context, survey) : writePage(context, survey, file));
    } finally {
      survey.close();
    }
    return EXIT.done;
  },
};

/** Refuses a file in the directory of the store: the page must not replace a file of the store. */
function refuseStoreFiles(context: Context, file: string): void {
  const store = realOf(resolve(context.dir));
  if (`${realOf(resolve(file))}${sep}`.startsWith(`${store}${sep}`)) {
    throw new UsageError(`${file} is in the directory of the store; wanted a file elsewhere`);
  }
}

/** Resolves links in a path, as far as the path exists. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path
      ? path
      : `${realOf(parent)}${parent.endsWith(sep) ? "" : sep}${path.slice(parent.length).replace(sep, "")}`;
  }
}

async function printPicture(context: Context, survey: LogSurvey): Promise<void> {
  // Imported here, so that other commands start without it.
  const { drawForTerminal } = await import("./terminal.ts");
  const bar = progressBar(context, "reading");
  const options = { ...drawingStyle(DEFAULT_WIDTH), directory: context.dir, onProgress: bar.update };
  const { text, json } = await drawForTerminal(survey, options).finally(() => bar.stop());
  context.out.add(context.json ? JSON.stringify(json) + "\n" : text);
  await context.out.flush();
  if (!context.json) context.note("kvstore inspect --html FILE writes a page that explains itself");
}

async function writePage(context: Context, survey: LogSurvey, file: string): Promise<void> {
  const { makePage } = await import("./html.ts");
  const bar = progressBar(context, "reading");
  const options = { directory: context.dir, hasValues: hasSwitch(context, "values"), onProgress: bar.update };
  const { html, data } = await makePage(survey, options).finally(() => bar.stop());
  // Bytes stay as they are: the page names the hash of its script.
  const page = new TextEncoder().encode(html);
  if (file === "-") return await context.out.bytes(page);
  await intoFile(context, file, (out) => out.bytes(page));
  const what = `${counted(data.keys, "key")} in ${counted(data.segments.length + data.omittedSegments, "segment")}`;
  context.note(`drew ${what} to ${file} (${humanBytes(page.length)})`);
}
