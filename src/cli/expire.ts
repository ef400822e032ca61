/** `expire`. @module */

import { durationMs, KEY_OPTION, keyArgument } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { keyAbsent } from "./input_output/report_error.ts";
import { keyForm, keyText } from "./text/notation.ts";

/** Lets a key expire. */
export const expire: Command = {
  name: "expire",
  elsewhere: ["touch", "pexpire"],
  args: [{ name: "KEY", completion: "key" }, { name: "DURATION" }],
  options: [KEY_OPTION],
  summary: "let a key expire after a time",
  description:
    `DURATION is as with "kvstore set --ttl": 500ms, 10s, 10m, 1h30m, 7d. It counts from now, whatever the key had
left. The value stays as it is. Exits with 1 if the key is not there.`,
  json: '{"key":…,"expiresAt":…}, in milliseconds since 1970',
  example: ["kvstore expire code 10m"],
  endsGently: () => true,
  run: (context) => {
    const key = keyArgument(context, 0);
    const duration = context.args[1]!;
    const ttl = durationMs(duration, "DURATION");
    return withStore(context, "write", async (store) => {
      const written = store.touch(key, { ttl });
      // Asked at once: the key may expire soon.
      const expiresAt = store.expiresAt(key);
      if (!await written) return keyAbsent(context, key);
      if (context.json) context.out.add(JSON.stringify({ key: keyForm(key), expiresAt }) + "\n");
      else context.tell(`${keyText(key)} expires in ${duration}`);
      await context.out.flush();
      return EXIT.done;
    });
  },
};
