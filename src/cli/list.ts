/** `list`. @module */

import type { Key, Value } from "../../mod.ts";
import { hasSwitch, KEY_OPTION, rangeArguments } from "./command_line/arguments.ts";
import type { Command } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withStore } from "./command_line/open_store.ts";
import { entryLine, keyForm, keyText, valueForm } from "./text/notation.ts";

/** Prints keys. */
export const list: Command = {
  name: "list",
  aliases: ["ls"],
  args: [{ name: "PREFIX", optional: true }],
  options: [
    KEY_OPTION,
    { name: "values", about: "each value behind its key and a tab, as JSON in the form of an export" },
    { name: "limit", value: "N", about: "at most N keys" },
    { name: "reverse", about: "from the last key to the first" },
  ],
  summary: "print the keys, sorted, one a line",
  description:
    `In the order of their bytes. Control characters and the backslash are escaped as in JSON (\\n, \\t, \\u0000,
\\\\); a key that is no text is printed as base64:…, and no other key begins so.`,
  json: 'a line for each key, a string or {"base64":"…"}; with --values {"key":…,"value":…} as in an export',
  example: ["kvstore list user: --limit 2", "user:1", "user:2"],
  run: (context) => {
    const range = rangeArguments(context);
    return withStore(context, "read", async (store) => {
      const write = context.json ? entryLine : readableEntry;
      if (hasSwitch(context, "values")) {
        // Closed with the store.
        const snapshot = store.snapshot();
        for (const [key, value] of snapshot.entries(range)) {
          if (context.out.add(write(key, value, snapshot.expiresAt(key)) + "\n")) await context.out.flush();
        }
      } else {
        for (const key of store.keys(range)) {
          const line = context.json ? JSON.stringify(keyForm(key)) : keyText(key);
          if (context.out.add(line + "\n")) await context.out.flush();
        }
      }
      await context.out.flush();
      return EXIT.done;
    });
  },
};

function readableEntry(key: Key, value: Value): string {
  return `${keyText(key)}\t${JSON.stringify(valueForm(value))}`;
}
