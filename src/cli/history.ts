/** `history`. @module */

import { type Key, type KvStore, KvStoreError, type Value, type Version } from "../../mod.ts";
import { KEY_OPTION, keyArgument, optionText, wholeNumber } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, UsageError } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { progressBar } from "./input_output/progress_bar.ts";
import { keyAbsent, reportError } from "./input_output/report_error.ts";
import { counted, fitted } from "./text/format.ts";
import { keyForm, keyText, valueForm } from "./text/notation.ts";
import { onOneLine } from "./text/printable.ts";

/** Columns of the beginning of a value. */
const PREVIEW_WIDTH = 40;

/** Lists the versions of a key, or writes one back. */
export const history: Command = {
  name: "history",
  args: [{ name: "KEY", completion: "key" }],
  forms: ["KEY", "KEY --restore SEQ"],
  options: [
    KEY_OPTION,
    { name: "limit", value: "N", about: "list the newest N versions only" },
    { name: "restore", value: "SEQ", about: "set the key to the version with that sequence number" },
  ],
  summary: "list the versions of a key that the log still holds, or restore one",
  description:
    `Lists the newest version first, with its sequence number, its kind, the size and place of its record, whether it
is the present value, when it expires, and how its value begins. Compaction drops superseded versions. Reads the
whole log.

--restore sets KEY to the value of that version, byte for byte, and to its time of expiry, if that is still to
come. Exits with 1 if there is no such version.`,
  json: '{"seq":1,"type":"set","segment":"00000001.seg","offset":44,"bytes":37,"live":true,"value":1} a line',
  example: [
    "kvstore history greeting",
    '2  set  43 bytes at 81 in 00000001.seg  live   "hello, world"',
    '1  set  37 bytes at 44 in 00000001.seg  stale  "hi"',
  ],
  run: (context) => {
    const key = keyArgument(context, 0);
    const [limit, restore] = [optionText(context, "limit"), optionText(context, "restore")];
    if (restore !== undefined) {
      if (limit !== undefined) {
        throw new UsageError("--limit is for listing versions; it cannot be used with --restore");
      }
      const seq = wholeNumber(restore, "--restore", 1);
      return withStore(context, "write", (store) => restoreVersion(context, store, key, seq));
    }
    const most = limit === undefined ? Infinity : wholeNumber(limit, "--limit", 0);
    return withStore(context, "read", (store) => listVersions(context, store, key, most));
  },
};

async function listVersions(context: Context, store: KvStore, key: Key, limit: number): Promise<number> {
  const bar = progressBar(context, "reading the log");
  let versions: Version[];
  try {
    versions = await store.history(key, { limit, values: true, onProgress: bar.update });
  } finally {
    await bar.stop();
  }
  if (versions.length === 0 && limit > 0) return keyAbsent(context, key);
  const width = String(versions[0]?.seq ?? 0).length;
  for (const version of versions) {
    const line = context.json ? jsonOf(version) : readable(version, width);
    if (context.out.add(line + "\n")) await context.out.flush();
  }
  await context.out.flush();
  return EXIT.done;
}

function readable({ seq, type, bytes, offset, segment, live, expiresAt, value }: Version, width: number): string {
  const place = `${counted(bytes, "byte")} at ${offset} in ${segment}`;
  const expiry = expiresAt === undefined ? "" : `  expires ${timeText(expiresAt)}`;
  const preview = value === undefined ? "" : `  ${previewOf(value)}`;
  const state = (live ? "live" : "stale").padEnd(preview === "" ? 0 : 5);
  return `${String(seq).padStart(width)}  ${type.padEnd(6)}  ${place}  ${state}${expiry}${preview}`;
}

function jsonOf({ value, ...version }: Version): string {
  return JSON.stringify(value === undefined ? version : { ...version, value: valueForm(value) });
}

/** How a value begins. Of a long one only that is encoded. */
function previewOf(value: Value): string {
  const isLong = (typeof value === "string" || ArrayBuffer.isView(value)) && value.length > PREVIEW_WIDTH;
  const form = valueForm(isLong ? value.slice(0, PREVIEW_WIDTH) : value);
  return fitted(onOneLine(JSON.stringify(form)), PREVIEW_WIDTH).trimEnd();
}

/** Formats a time. A time beyond the calendar of JavaScript stays a number. */
function timeText(time: number): string {
  return time <= 8.64e15 ? new Date(time).toISOString() : `at ${time}`;
}

async function restoreVersion(context: Context, store: KvStore, key: Key, seq: number): Promise<number> {
  try {
    await store.restore(key, seq);
  } catch (error) {
    if (!(error instanceof KvStoreError) || error.code !== "NOT_FOUND") throw error;
    if (!context.quiet) {
      reportError("VERSION_NOT_FOUND", `no version ${seq} of ${keyText(key)} to restore`, context.json);
    }
    return EXIT.absent;
  }
  if (context.json) context.out.add(JSON.stringify({ key: keyForm(key), restored: seq }) + "\n");
  else context.note(`restored version ${seq} of ${keyText(key)}`);
  await context.out.flush();
  return EXIT.done;
}
