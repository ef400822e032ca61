/** `count`. @module */

import { KEY_OPTION } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { MATCH_OPTION, Selection } from "./command_line/selection.ts";

/** Prints the number of keys. */
export const count: Command = {
  name: "count",
  elsewhere: ["size", "dbsize", "len"],
  args: [{ name: "PREFIX", optional: true, completion: "key" }],
  forms: ["[PREFIX]", "--match PATTERN"],
  options: [KEY_OPTION, MATCH_OPTION],
  summary: "print the number of keys",
  description: "Counts all keys, or those that begin with PREFIX, or those that match PATTERN (kvstore help list).",
  json: '{"count":3}',
  example: ["kvstore count user:", "2"],
  run: (context) => {
    const selection = new Selection(context, { hasPrefix: true });
    return withStore(context, "read", async (store) => {
      const number = selection.count(store);
      context.out.add((context.json ? JSON.stringify({ count: number }) : String(number)) + "\n");
      await context.out.flush();
      selection.hint(store);
      return EXIT.done;
    });
  },
};
