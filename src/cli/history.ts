/** `history`. @module */

import { type Key, type KvStore, KvStoreError, type Version } from "../../mod.ts";
import { KEY_OPTION, keyArgument, optionText, wholeNumber } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, UsageError } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { progressBar } from "./input_output/progress_bar.ts";
import { keyAbsent, reportError } from "./input_output/report_error.ts";
import { counted } from "./text/format.ts";
import { keyForm, keyText } from "./text/notation.ts";

/** Lists the versions of a key, or writes one back. */
export const history: Command = {
  name: "history",
  args: [{ name: "KEY" }],
  forms: ["KEY", "KEY --restore SEQ"],
  options: [
    KEY_OPTION,
    { name: "limit", value: "N", about: "list the newest N versions only" },
    { name: "restore", value: "SEQ", about: "set the key to the version with that sequence number" },
  ],
  summary: "list the versions of a key that the log still holds, or restore one",
  description:
    `Lists the newest version first, with its sequence number, its kind, the size and place of its record, whether it
is the present value, and when it expires. Compaction drops superseded versions. Reads the whole log.

--restore sets KEY to the value of that version, byte for byte, and to its time of expiry, if that is still to
come. Exits with 1 if there is no such version.`,
  json: '{"seq":18,"type":"set","segment":"00000001.seg","offset":44,"bytes":37,"live":true} a line',
  example: [
    "kvstore history greeting",
    "2  set  43 bytes at 81 in 00000001.seg  live",
    "1  set  37 bytes at 44 in 00000001.seg  stale",
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
    versions = await store.history(key, { limit, onProgress: bar.update });
  } finally {
    await bar.stop();
  }
  if (versions.length === 0 && limit > 0) return keyAbsent(context, key);
  const width = String(versions[0]?.seq ?? 0).length;
  for (const version of versions) {
    const line = context.json ? JSON.stringify(version) : readable(version, width);
    if (context.out.add(line + "\n")) await context.out.flush();
  }
  await context.out.flush();
  return EXIT.done;
}

function readable({ seq, type, bytes, offset, segment, live, expiresAt }: Version, width: number): string {
  const place = `${counted(bytes, "byte")} at ${offset} in ${segment}`;
  const expiry = expiresAt === undefined ? "" : `  expires ${timeText(expiresAt)}`;
  return `${String(seq).padStart(width)}  ${type.padEnd(6)}  ${place}  ${live ? "live" : "stale"}${expiry}`;
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
