/** `inspect`. @module */

import process from "node:process";
import { dirname, resolve, sep } from "node:path";
import { realpathSync } from "node:fs";
import { KvStoreError, type LogSurvey, surveyLog } from "../../../mod.ts";
import { hasSwitch, optionText } from "../command_line/arguments.ts";
import type { Command, Context } from "../command_line/definition.ts";
import { EXIT, UsageError } from "../command_line/errors.ts";
import { noStore } from "../command_line/open_store.ts";
import { intoFile } from "../input_output/output_file.ts";
import { progressBar } from "../input_output/progress_bar.ts";
import { counted, humanBytes, painter } from "../text/format.ts";

/** Columns where there is no terminal to ask. */
const DEFAULT_WIDTH = 80;

/** Shows a picture of the log. */
export const inspect: Command = {
  name: "inspect",
  args: [],
  options: [
    {
      name: "html",
      value: "FILE",
      about: "write the picture as a page, to be opened in a browser",
      completion: "file",
    },
    { name: "values", about: "with --html: put the beginnings of values into the page, too" },
  ],
  summary: "show a picture of the log: what is live, what is stale, what compaction would win",
  description:
    `Draws a bar for each segment, to scale, a character for each stretch of the file. With --html FILE it writes a
page that explains itself: every record or, in a large store, every stretch of the log; all versions of a key;
the history, to be played back; charts. The page is one file and asks the network for nothing. It shows keys,
and values only with --values. FILE is replaced if it is there; "-" is standard output. Reads the whole log,
needs no lock, and works on damaged stores, too.`,
  json: "an object with the store's figures, those of each segment, and what compaction would win",
  example: ["kvstore inspect --html log.html", "kvstore: drew 3 keys in 1 segment to log.html (113 KiB)"],
  run: async (context) => {
    const file = optionText(context, "html");
    if (file === undefined && hasSwitch(context, "values")) {
      throw new UsageError("--values is for a page: add --html FILE");
    }
    if (file !== undefined && file !== "-") refuseStoreFiles(context, file);
    const survey = openSurvey(context);
    try {
      await (file === undefined ? printPicture(context, survey) : writePage(context, survey, file));
    } finally {
      survey.close();
    }
    return EXIT.done;
  },
};

function openSurvey(context: Context): LogSurvey {
  try {
    return surveyLog(context.dir);
  } catch (error) {
    throw error instanceof KvStoreError && error.code === "NOT_FOUND" ? noStore(context, error) : error;
  }
}

/** A page has no business in the directory of a store, least of all in the place of one of its files. */
function refuseStoreFiles(context: Context, file: string): void {
  const store = realOf(resolve(context.dir));
  if (`${realOf(resolve(file))}${sep}`.startsWith(`${store}${sep}`)) {
    throw new UsageError(`${file} is in the directory of the store; wanted a file elsewhere`);
  }
}

/** A path without links, as far as it is there. */
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
  // Only this command needs them: the others start without.
  const { drawForTerminal } = await import("./terminal.ts");
  const terminal = process.stdout.isTTY === true;
  const width = (terminal ? process.stdout.columns : undefined) ?? DEFAULT_WIDTH;
  const bar = progressBar(context, "reading");
  const options = { directory: context.dir, width, onProgress: bar.update };
  // An empty NO_COLOR counts as absent (no-color.org).
  const paint = painter(terminal && !process.env.NO_COLOR);
  const { text, json } = await drawForTerminal(survey, { ...options, paint }).finally(() => bar.stop());
  context.out.add(context.json ? JSON.stringify(json) + "\n" : text);
  await context.out.flush();
  if (!context.json) context.note("kvstore inspect --html FILE makes a page of it that explains itself");
}

async function writePage(context: Context, survey: LogSurvey, file: string): Promise<void> {
  const { makePage } = await import("./html.ts");
  const bar = progressBar(context, "reading");
  const options = { directory: context.dir, hasValues: hasSwitch(context, "values"), onProgress: bar.update };
  const { html, data } = await makePage(survey, options).finally(() => bar.stop());
  if (file === "-") {
    context.out.add(html);
    await context.out.flush();
    return;
  }
  await intoFile(context, file, async (out) => {
    out.add(html);
    await out.flush();
  });
  const what = `${counted(data.keys, "key")} in ${counted(data.segments.length + data.omittedSegments, "segment")}`;
  context.note(`drew ${what} to ${file} (${humanBytes(new TextEncoder().encode(html).length)})`);
}
