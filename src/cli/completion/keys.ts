/** The command that the completion scripts ask for keys. @module */

import type { Command } from "../command_line/definition.ts";
import { EXIT } from "../command_line/errors.ts";
import { withStore } from "../command_line/open_store.ts";
import { printable } from "../text/printable.ts";

/** Nobody reads more. */
const MOST_KEYS = 100;

/**
 * Prints the first keys that begin with a prefix, as they are, one a line. Keys that are not one line of text that
 * prints are left out. Whatever fails, it says nothing: somebody is typing.
 */
export const completeKeys: Command = {
  name: "complete-keys",
  isHidden: true,
  args: [{ name: "PREFIX", optional: true }],
  options: [],
  summary: "print keys for the completion of a shell",
  description: "Used by the scripts that kvstore completions prints.",
  example: ["kvstore complete-keys user:", "user:1"],
  run: async (context) => {
    try {
      await withStore(context, "read", async (store) => {
        for (const key of store.keys({ prefix: context.args[0] ?? "", limit: MOST_KEYS })) {
          if (typeof key === "string" && isOneLine(key)) context.out.add(key + "\n");
        }
        await context.out.flush();
      });
    } catch {
      // No store, or a damaged one: there is nothing to offer.
    }
    return EXIT.done;
  },
};

function isOneLine(key: string): boolean {
  return key !== "" && !/[\n\t]/.test(key) && printable(key) === key;
}
