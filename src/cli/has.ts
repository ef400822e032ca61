/** `has`. @module */

import { KEY_OPTION, keyArguments } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { keyForm } from "./text/notation.ts";

/** Says by its exit status whether keys are there. */
export const has: Command = {
  name: "has",
  elsewhere: ["exists", "contains"],
  args: [{ name: "KEY", repeated: true, completion: "key" }],
  options: [KEY_OPTION],
  summary: "say by the exit status whether a key is there, or all of several",
  description:
    `Exits with 0 if the key is there and with 1 if it is not; of several keys, with 0 if all are there. Prints
nothing and reads no record.`,
  json: '{"key":…,"present":true}, a line for each key',
  example: ["kvstore has greeting && echo yes", "yes"],
  run: (context) => {
    const keys = keyArguments(context);
    return withStore(context, "read", async (store) => {
      const present = keys.map((key) => store.has(key));
      if (context.json) {
        const lines = keys.map((key, i) => JSON.stringify({ key: keyForm(key), present: present[i] }) + "\n");
        context.out.add(lines.join(""));
      }
      await context.out.flush();
      return present.includes(false) ? EXIT.absent : EXIT.done;
    });
  },
};
