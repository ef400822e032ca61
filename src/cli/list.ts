/** `list`. @module */

import type { Key, Range, Value } from "../../mod.ts";
import { hasSwitch, KEY_OPTION, rangeArguments } from "./command_line/arguments.ts";
import type { Command, Context } from "./command_line/definition.ts";
import { EXIT } from "./command_line/errors.ts";
import { withSnapshot, withStore } from "./command_line/open_store.ts";
import { entryLine, keyForm, keyText, valueForm } from "./text/notation.ts";

/** Prints the keys. */
export const list: Command = {
  name: "list",
  aliases: ["ls"],
  args: [{ name: "PREFIX", optional: true, completion: "key" }],
  options: [
    KEY_OPTION,
    { name: "values", about: "print values too, after a tab, as JSON in the form of an export" },
    { name: "limit", value: "N", about: "print at most N keys" },
    { name: "reverse", about: "print the last key first" },
  ],
  summary: "print the keys, sorted, one on each line",
  description:
    `Sorts keys by their bytes. Escapes the backslash and characters that do not print (\\\\, \\n, \\t, \\u0000).
Prints a key that is not text as base64:…; no other key looks like that.`,
  json: 'a line for each key, a string or {"base64":"…"}; with --values {"key":…,"value":…} as in an export',
  example: ["kvstore list user: --limit 2", "user:1", "user:2"],
  run: (context) => {
    const range = rangeArguments(context);
    return hasSwitch(context, "values") ? listEntries(context, range) : listKeys(context, range);
  },
};

function listEntries(context: Context, range: Range): Promise<number> {
  const write = context.json ? entryLine : readableEntry;
  return withSnapshot(context, async (snapshot) => {
    for (const [key, value] of snapshot.entries(range)) {
      if (context.out.add(write(key, value, snapshot.expiresAt(key)) + "\n")) await context.out.flush();
    }
    await context.out.flush();
    return EXIT.done;
  });
}

function listKeys(context: Context, range: Range): Promise<number> {
  return withStore(context, "read", async (store) => {
    for (const key of store.keys(range)) {
      const line = context.json ? JSON.stringify(keyForm(key)) : keyText(key);
      if (context.out.add(line + "\n")) await context.out.flush();
    }
    await context.out.flush();
    return EXIT.done;
  });
}

function readableEntry(key: Key, value: Value): string {
  return `${keyText(key)}\t${JSON.stringify(valueForm(value))}`;
}
