/** `delete`. @module */

import { KEY_OPTION, keyArguments } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { keyAbsent } from "./input_output/report_error.ts";
import { keyForm, keyText } from "./text/notation.ts";

/** Deletes keys. */
export const remove: Command = {
  name: "delete",
  aliases: ["rm", "del"],
  elsewhere: ["remove", "unset", "unlink"],
  args: [{ name: "KEY", repeated: true, completion: "key" }],
  options: [KEY_OPTION],
  summary: "delete a key, or several",
  description:
    `Returns once the deletion would survive a power cut. Exits with 1 if the key was not there, or one of several;
the others are deleted all the same. "kvstore clear PREFIX" deletes all keys that begin with PREFIX.`,
  json: '{"key":…,"deleted":true}, a line for each key',
  example: ["kvstore delete greeting"],
  endsGently: () => true,
  run: (context) => {
    const keys = keyArguments(context);
    return withStore(context, "write", async (store) => {
      const deleted = await Promise.all(keys.map((key) => store.delete(key)));
      let status: number = EXIT.done;
      for (const [i, key] of keys.entries()) {
        if (context.json) context.out.add(JSON.stringify({ key: keyForm(key), deleted: deleted[i] }) + "\n");
        else if (deleted[i]) context.tell(`deleted ${keyText(key)}`);
        else keyAbsent(context, key);
        if (!deleted[i]) status = EXIT.absent;
      }
      await context.out.flush();
      return status;
    });
  },
};
