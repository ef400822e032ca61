/** `has`. @module */

import { KEY_OPTION, keyArgument } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { keyForm } from "./text/notation.ts";

/** Says by its exit status whether a key is there. */
export const has: Command = {
  name: "has",
  args: [{ name: "KEY", completion: "key" }],
  options: [KEY_OPTION],
  summary: "say by the exit status whether a key is there",
  description: "Exits with 0 if the key is there and with 1 if it is not. Prints nothing and reads no record.",
  json: '{"key":…,"present":true}',
  example: ["kvstore has greeting && echo yes", "yes"],
  run: (context) => {
    const key = keyArgument(context, 0);
    return withStore(context, "read", async (store) => {
      const present = store.has(key);
      if (context.json) context.out.add(JSON.stringify({ key: keyForm(key), present }) + "\n");
      await context.out.flush();
      return present ? EXIT.done : EXIT.absent;
    });
  },
};
