/** `list` and `count`. @module */

import type { Key, Value } from "../../../mod.ts";
import { KEY_OPTION, rangeArguments } from "../arguments.ts";
import { type Command, hasSwitch } from "../command.ts";
import { EXIT } from "../errors.ts";
import { entryLine, keyForm, keyText, valueForm } from "../notation.ts";
import { withStore } from "../open.ts";

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

/** Prints how many keys there are. */
export const count: Command = {
  name: "count",
  args: [{ name: "PREFIX", optional: true }],
  options: [KEY_OPTION],
  summary: "print how many keys there are",
  description: "All of them, or those that begin with PREFIX.",
  json: '{"count":3}',
  example: ["kvstore count user:", "2"],
  run: (context) => {
    const range = rangeArguments(context);
    return withStore(context, "read", async (store) => {
      let number = store.size;
      if (context.args.length > 0) {
        number = 0;
        for (const _ of store.keys(range)) number++;
      }
      context.out.add((context.json ? JSON.stringify({ count: number }) : String(number)) + "\n");
      await context.out.flush();
      return EXIT.done;
    });
  },
};

function readableEntry(key: Key, value: Value): string {
  return `${keyText(key)}\t${JSON.stringify(valueForm(value))}`;
}
