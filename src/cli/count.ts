/** `count`. @module */

import { KEY_OPTION, rangeArguments } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";

/** Prints the number of keys. */
export const count: Command = {
  name: "count",
  args: [{ name: "PREFIX", optional: true, completion: "key" }],
  options: [KEY_OPTION],
  summary: "print the number of keys",
  description: "Counts all keys, or those that begin with PREFIX.",
  json: '{"count":3}',
  example: ["kvstore count user:", "2"],
  run: (context) => {
    const range = rangeArguments(context);
    return withStore(context, "read", async (store) => {
      const number = store.count(range);
      context.out.add((context.json ? JSON.stringify({ count: number }) : String(number)) + "\n");
      await context.out.flush();
      return EXIT.done;
    });
  },
};
