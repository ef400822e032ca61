/** `clear`. @module */

import type { KvStore } from "../../mod.ts";
import { hasSwitch, KEY_OPTION } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT, UsageError } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { Selection } from "./command_line/selection.ts";
import { isInteractive } from "./input_output/terminal.ts";
import { counted } from "./text/format.ts";

/** Deletes all keys, or those that begin with a prefix. */
export const clear: Command = {
  name: "clear",
  elsewhere: ["flushall", "flushdb", "drop", "truncate"],
  args: [{ name: "PREFIX", optional: true, completion: "key" }],
  options: [KEY_OPTION, { name: "yes", about: "do not ask" }],
  summary: "delete all keys, or those that begin with PREFIX",
  description:
    `Asks first, on a terminal; anything but "yes" or "y" deletes nothing and exits with 1. Without a terminal it needs
--yes. Returns once the deletion would survive a power cut.`,
  json: '{"deleted":2}',
  example: ["kvstore clear session: --yes", "kvstore: deleted 2 keys"],
  endsGently: () => true,
  run: (context) => {
    const selection = new Selection(context, { hasPrefix: true });
    // As of a variable that is not set.
    if (context.args[0] === "") throw new UsageError("PREFIX is empty; to delete all keys, give no PREFIX");
    const isSure = hasSwitch(context, "yes");
    if (!isSure && !isInteractive()) {
      throw new UsageError("clear asks before it deletes; where there is no terminal to ask on, it needs --yes");
    }
    return withStore(context, "write", async (store) => {
      const keys = selection.count(store);
      if (!isSure && keys > 0 && !await isConfirmed(context, keys)) {
        context.note("nothing was deleted");
        return EXIT.absent;
      }
      const deleted = await deleteAll(store, selection);
      if (context.json) context.out.add(JSON.stringify({ deleted }) + "\n");
      else context.note(`deleted ${counted(deleted, "key")}`);
      await context.out.flush();
      if (deleted === 0) selection.hint(store);
      return EXIT.done;
    });
  },
};

async function isConfirmed(context: Context, keys: number): Promise<boolean> {
  const answer = await context.ask(`Delete ${counted(keys, "key")} in ${context.dir}? [y/N] `);
  return /^\s*y(es)?\s*$/i.test(answer ?? "");
}

/** Deletes the keys that are there by now, and returns how many there were. */
async function deleteAll(store: KvStore, { range }: Selection): Promise<number> {
  if (range.prefix !== undefined) return await store.deleteRange(range);
  const keys = store.size;
  await store.clear();
  return keys;
}
