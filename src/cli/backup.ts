/** `backup`. @module */

import type { KvStore } from "../../mod.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, UsageError } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { withProgress } from "./input_output/progress_bar.ts";
import { counted } from "./text/format.ts";

/** Copies a store while it is in use. */
export const backup: Command = {
  name: "backup",
  elsewhere: ["copy", "bgsave"],
  args: [{ name: "DEST", completion: "directory" }],
  options: [],
  summary: "copy the store, consistent and verified, also while it is in use",
  description:
    "DEST must not exist, or be empty. An incomplete copy does not open, so it cannot be mistaken for a complete one.",
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
