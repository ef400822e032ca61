/** `persist`. @module */

import { KEY_OPTION, keyArgument } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { keyAbsent } from "./input_output/report_error.ts";
import { keyForm, keyText } from "./text/notation.ts";

/** Takes a key's expiry away. */
export const persist: Command = {
  name: "persist",
  args: [{ name: "KEY", completion: "key" }],
  options: [KEY_OPTION],
  summary: "let a key not expire any more",
  description: "The value stays as it is. Exits with 1 if the key is not there.",
  json: '{"key":…,"persisted":true}; false if it did not expire before',
  example: ["kvstore persist code"],
  endsGently: () => true,
  run: (context) => {
    const key = keyArgument(context, 0);
    return withStore(context, "write", async (store) => {
      const isThere = store.has(key);
      const persisted = await store.persist(key);
      if (!isThere) return keyAbsent(context, key);
      if (context.json) context.out.add(JSON.stringify({ key: keyForm(key), persisted }) + "\n");
      else context.tell(`${keyText(key)} ${persisted ? "does not expire any more" : "did not expire"}`);
      await context.out.flush();
      return EXIT.done;
    });
  },
};
