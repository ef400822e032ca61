/** `ttl`. @module */

import { KEY_OPTION, keyArgument } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withSnapshot } from "./command_line/open_store.ts";
import { keyAbsent } from "./input_output/report_error.ts";
import { durationText } from "./text/duration.ts";
import { keyForm } from "./text/notation.ts";

/** Prints how long a key has left. */
export const ttl: Command = {
  name: "ttl",
  elsewhere: ["pttl"],
  args: [{ name: "KEY", completion: "key" }],
  options: [KEY_OPTION],
  summary: "print how long a key has until it expires",
  description:
    `Prints the time that is left as --ttl and "kvstore expire" take it, or "never". Exits with 1 if the key is not
there.`,
  json: '{"key":…,"ttl":599873,"expiresAt":…}, in milliseconds; both are left out if the key does not expire',
  example: ["kvstore ttl code", "9m59s"],
  run: (context) => {
    const key = keyArgument(context, 0);
    return withSnapshot(context, async (snapshot) => {
      const now = Date.now();
      if (!snapshot.has(key)) return keyAbsent(context, key);
      const expiresAt = snapshot.expiresAt(key);
      // By the clock of the store, which never runs backwards, there may be time left when by this one there is none.
      const left = expiresAt === undefined ? undefined : Math.max(1, expiresAt - now);
      const json = () => JSON.stringify({ key: keyForm(key), ttl: left, expiresAt });
      context.out.add((context.json ? json() : left === undefined ? "never" : durationText(left)) + "\n");
      await context.out.flush();
      return EXIT.done;
    });
  },
};
