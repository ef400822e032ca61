/** `restore`. @module */

import { readdirSync } from "node:fs";
import { KvStore, KvStoreError } from "../../mod.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, InputError, UsageError } from "./command_line/errors.ts";
import { withProgress } from "./input_output/progress_bar.ts";
import { counted } from "./text/format.ts";

/** Makes a store from a backup. */
export const restore: Command = {
  name: "restore",
  args: [{ name: "BACKUP", completion: "directory" }],
  options: [],
  summary: "make the store from a backup, of which every record is checked",
  description:
    `BACKUP is a directory that "kvstore backup" has written; any other directory with a store that nobody changes will
do. The store's own directory must not exist, or be empty. The restored store is durable when the command
returns; until then it does not open. A damaged backup is refused with status 3, and leaves nothing behind.`,
  json: '{"backup":"…","keys":3}',
  example: ["kvstore restore /mnt/backup/monday", "kvstore: restored 3 keys from /mnt/backup/monday"],
  endsGently: () => true,
  run: async (context) => {
    const from = context.args[0]!;
    if (from === "") throw new UsageError("BACKUP is empty; wanted a directory");
    refuseStore(context.dir);
    const keys = await copyOf(context, from);
    if (context.json) context.out.add(JSON.stringify({ backup: from, keys }) + "\n");
    else context.note(`restored ${counted(keys, "key")} from ${from}`);
    await context.out.flush();
    return EXIT.done;
  },
};

/** Refuses a directory with a store, even a damaged one: what restoring says of other files could cost it. */
function refuseStore(dir: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(dir);
  } catch {
    // It does not exist yet, or copying will say what is wrong with it.
  }
  const isWhole = names.includes("MANIFEST");
  if (!isWhole && !names.some((name) => name.endsWith(".seg"))) return;
  const found = isWhole ? "a store" : "a damaged store, or what an interrupted restore has left,";
  const advice = "restore needs a new or an empty directory: name another with --dir, or move the store away";
  throw new InputError(`there is ${found} in ${dir} already; ${advice}`);
}

/** Copies a backup and returns the number of its keys. */
async function copyOf(context: Context, from: string): Promise<number> {
  let source: KvStore;
  try {
    source = await KvStore.open(from, { readOnly: true });
  } catch (error) {
    if (!(error instanceof KvStoreError) || error.code !== "NOT_FOUND") throw error;
    throw new KvStoreError("NOT_FOUND", `there is no backup in ${from}`, { cause: error });
  }
  try {
    await withProgress(context, "restoring", (options) => source.backup(context.dir, options));
    return source.size;
  } finally {
    await source.close();
  }
}
