/** `delete`. @module */

import { KEY_OPTION, keyArgument } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { keyAbsent } from "./input_output/report_error.ts";
import { keyForm } from "./text/notation.ts";

/** Deletes a key. */
export const remove: Command = {
  name: "delete",
  aliases: ["rm", "del"],
  args: [{ name: "KEY", completion: "key" }],
  options: [KEY_OPTION],
  summary: "delete a key",
  description: "Returns once the deletion would survive a power cut. Exits with 1 if the key was not there.",
  json: '{"key":…,"deleted":true}',
  example: ["kvstore delete greeting"],
  endsGently: () => true,
  run: (context) => {
    const key = keyArgument(context, 0);
    return withStore(context, "write", async (store) => {
      const deleted = await store.delete(key);
      if (context.json) context.out.add(JSON.stringify({ key: keyForm(key), deleted }) + "\n");
      await context.out.flush();
      if (deleted) return EXIT.done;
      return context.json ? EXIT.absent : keyAbsent(context, key);
    });
  },
};
